//! Folders that earlier versions wrote, in `tests/formats/FORMAT.tar.gz`: a run of six texts, one of them twice and one
//! line broken, as the last version of that format left it.

use crate::support::{Workspace, repository};

fn unpack(workspace: &Workspace, format: u32) {
    let archive = std::fs::File::open(repository().join(format!("tests/formats/{format}.tar.gz"))).unwrap();
    tar::Archive::new(flate2::read::GzDecoder::new(archive)).unpack(workspace.path("")).unwrap();
    let config = workspace.path("run/config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("BASE", workspace.path("").to_str().unwrap())).unwrap();
}

fn run_again(workspace: &Workspace) -> String {
    let config = workspace.path("run/config.toml");
    std::fs::copy(config, workspace.path("small.toml")).unwrap();
    workspace.kosmos(&["run", "small.toml", "--dir", "run"]).success()
}

#[test]
fn a_folder_of_format_2_is_named_and_carried_over_and_nothing_is_read_again() {
    let workspace = Workspace::new();
    unpack(&workspace, 2);
    let parts = workspace.parts("run");
    for command in ["status", "verify", "stats"] {
        let told = workspace.kosmos(&[command, "run"]).failure(2);
        assert!(told.contains("format 2") && told.contains("kosmos migrate"), "{command}: {told}");
    }
    let told = workspace.kosmos(&["migrate", "run"]).success();
    assert!(told.contains("7 stages"), "{told}");
    assert!(workspace.kosmos(&["verify", "run"]).success().contains(": 0 wrong"));
    assert_eq!(workspace.rows("run", "text", "documents").len(), 5);
    assert_eq!(workspace.rows("run", "mine", "dropped").len(), 0);
    let again = run_again(&workspace);
    assert_eq!(again.matches("skipped, sealed before").count(), 7, "{again}");
    assert_eq!(workspace.parts("run"), parts);
    assert!(workspace.kosmos(&["migrate", "run"]).success().contains("nothing to do"));
}

#[test]
fn a_folder_whose_configuration_is_of_an_earlier_version_is_carried_over() {
    let workspace = Workspace::new();
    unpack(&workspace, 2);
    let config = workspace.path("run/config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("forgotten_key = 1\n{text}")).unwrap();
    let migrated = workspace.kosmos(&["migrate", "run"]);
    assert!(migrated.stderr.contains("forgotten_key"), "{}", migrated.stderr);
    assert!(migrated.success().contains("7 stages"));
    std::fs::write(&config, text).unwrap();
    assert!(workspace.kosmos(&["verify", "run"]).success().contains(": 0 wrong"));
    assert_eq!(workspace.rows("run", "text", "documents").len(), 5);
}

#[test]
fn a_folder_of_format_3_is_read_and_nothing_is_read_again() {
    let workspace = Workspace::new();
    unpack(&workspace, 3);
    let parts = workspace.parts("run");
    assert!(workspace.kosmos(&["status", "run"]).success().contains("text.exact"));
    assert!(workspace.kosmos(&["verify", "run"]).success().contains(": 0 wrong"));
    assert_eq!(workspace.rows("run", "text", "documents").len(), 5);
    let again = run_again(&workspace);
    assert_eq!(again.matches("skipped, sealed before").count(), 7, "{again}");
    assert_eq!(workspace.parts("run"), parts);
}

#[test]
fn an_unfinished_stage_of_format_2_goes_on_where_it_was() {
    let workspace = Workspace::new();
    unpack(&workspace, 2);
    let parts = workspace.parts("run");
    for stage in ["text.exact", "text.representatives", "text"] {
        let ledger = std::fs::read_dir(workspace.path("run/ledger").join(stage)).unwrap();
        let folder = ledger.map(|entry| entry.unwrap().path()).next().unwrap();
        std::fs::remove_file(folder.join("sealed.json")).unwrap();
        if stage != "text.exact" {
            std::fs::remove_dir_all(folder).unwrap();
        } else {
            for file in ["00000001-000000.json", "00000001-end.json"] {
                std::fs::remove_file(folder.join(file)).unwrap();
            }
        }
    }
    let _ = workspace.kosmos(&["migrate", "run"]).success();
    let again = run_again(&workspace);
    assert_eq!(again.matches("skipped, sealed before").count(), 4, "{again}");
    assert_eq!(workspace.parts("run"), parts);
    assert!(workspace.kosmos(&["verify", "run"]).success().contains(": 0 wrong"));
}

#[test]
fn a_folder_of_a_newer_format_is_refused_by_name() {
    let workspace = Workspace::new();
    unpack(&workspace, 2);
    std::fs::write(workspace.path("run/kosmos.json"), "{\"format\": 99}").unwrap();
    for command in ["status", "migrate"] {
        let told = workspace.kosmos(&[command, "run"]).failure(2);
        assert!(told.contains("format 99 is of a newer kosmos"), "{command}: {told}");
    }
}
