//! Places that are named in arguments and configurations: those of this machine, and those that are not supported.

use std::path::Path;

use toml::Value;

/// Schemes of stores and servers from which nothing is read and to which nothing is written, in lower case.
const UNSUPPORTED: [&str; 22] = [
    "abfs", "abfss", "adl", "az", "azure", "dbfs", "ftp", "ftps", "gcs", "gs", "hdfs", "hf", "oci", "r2",
    "rsync", "s3", "s3a", "s3n", "sftp", "ssh", "wasb", "wasbs",
];

/// Says why a path is none of this machine; none if it is one.
pub fn elsewhere(path: &Path) -> Option<String> {
    let (scheme, rest) = scheme(path.to_str()?)?;
    Some(match scheme.as_str() {
        "file" => format!("write a path, not a URL: {}", rest.strip_prefix("localhost").unwrap_or(rest)),
        _ => format!(
            "it must be a path of this machine: {scheme}:// is not supported here (mount what it names, or copy it)"
        ),
    })
}

/// Returns the first setting that names a place which nothing reads, and what is wrong with it.
pub fn unsupported(config: &Value) -> Option<(String, String)> {
    find(config, String::new())
}

fn find(value: &Value, path: String) -> Option<(String, String)> {
    let key = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::String(text) => {
            let (scheme, _) = scheme(text).filter(|(scheme, _)| UNSUPPORTED.contains(&scheme.as_str()))?;
            let problem = format!(
                "is {text:?}, and {scheme}:// is not supported: name an http or https URL, or a path of this machine"
            );
            Some((path, problem))
        }
        Value::Array(values) => {
            (0..).zip(values).find_map(|(index, value): (usize, _)| find(value, format!("{path}[{index}]")))
        }
        Value::Table(table) => table.iter().find_map(|(name, value)| find(value, key(name))),
        _ => None,
    }
}

/// Returns the scheme of a URL in lower case, and what stands behind it; none of a path.
fn scheme(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then(|| (scheme.to_ascii_lowercase(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_elsewhere_are_told_from_paths() {
        for place in ["s3://bucket/run", "GS://b", "az://b/x", "https://h.example/run", "x-y.z+1://a"] {
            assert!(elsewhere(Path::new(place)).is_some_and(|why| why.contains("not supported")), "{place}");
        }
        let file = elsewhere(Path::new("file:///data/run"));
        assert_eq!(file.as_deref(), Some("write a path, not a URL: /data/run"));
        for path in ["run", "/data/run", "a:b", "./s3:/x", "/x/s3://y", "://x", "1://x", ""] {
            assert_eq!(elsewhere(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn settings_that_name_a_store_are_found_wherever_they_are() {
        let found = |text: &str| unsupported(&Value::Table(text.parse().unwrap_or_default()));
        let key = |text: &str| found(text).map(|(key, _)| key).unwrap_or_default();
        assert_eq!(key("base_dir = 's3://b'"), "base_dir");
        assert_eq!(key("[sources.a]\nfiles = ['x', 'https://h/y', 'GS://b/z']"), "sources.a.files[2]");
        assert_eq!(
            key("[text]\nrules = [{ language = { model = 'hf://m/lid' } }]"),
            "text.rules[0].language.model"
        );
        assert_eq!(key("a = 's3'\nb = 'x s3://y'\nc = 'http://s3://'\n[mirrors]\n'https://a/' = '/b/'"), "");
        assert!(
            found("a = 's3://b'").is_some_and(|(_, problem)| problem.contains("is \"s3://b\", and s3://"))
        );
    }
}
