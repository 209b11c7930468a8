//! Caption lists under the column names of their publishers.

use corpus::record::PAIRS;
use corpus::record::Pair;
use serde_json::json;

use crate::{open_data, run};

#[test]
fn caption_lists_of_laion_are_read_by_their_own_column_names() {
    let Some(data) = open_data() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let file = data.join("captions/img2dataset__test_10000_rows_1000_5000.parquet");
    let config = json!({"code": 3, "files": [file], "format": {"pairs": {"layout": "laion"}}});
    let dataset = run(scratch.path(), config);
    let counts = &dataset.manifest().report.units["pairs"];
    assert!(counts.kept > 3_000, "{counts:?}");
    let pairs: Vec<Pair> = dataset.rows(PAIRS).map(Result::unwrap).collect();
    let web = pairs.iter().filter(|pair| pair.url.starts_with("http")).count();
    assert!(web * 100 >= pairs.len() * 99, "{web} of {} are web addresses", pairs.len());
}
