//! Builds the C++ shim and tells this package's tests where libtorch lies.

use std::path::PathBuf;

const SOURCES: [&str; 4] = ["autocast", "checkpoint", "device", "optimizer"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // torch-sys declares `links = "tch"`, and so hands down the folder it found.
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    println!("cargo:rerun-if-changed=csrc");
    let library = PathBuf::from(std::env::var("DEP_TCH_LIBTORCH_LIB")?);
    let include = library.with_file_name("include");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .opt_level(2)
        // libtorch's own headers warn by the hundred.
        .warnings(false)
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        .files(SOURCES.map(|name| format!("csrc/{name}.cpp")))
        .compile("kosmos_shim");
    println!("cargo:rustc-link-search=native={}", library.display());
    println!("cargo:rustc-link-lib=torch_cpu");
    println!("cargo:rustc-link-lib=c10");
    // Tests and benches start without LD_LIBRARY_PATH.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", library.display());
    Ok(())
}
