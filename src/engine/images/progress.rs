//! How far a pull or a load is: the lines of JSON that tell of single layers, summed up.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::super::{Error, JsonLines, Response};

/// More layers than an image can have (127 with overlay2); of others that an engine tells of no notes are taken.
const MOST_LAYERS: usize = 512;
/// A longer name is no layer's.
const LONGEST_NAME: usize = 128;

/// How far a pull or a load is. `Display` makes it a short text, such as `3 of 7 layers, 12.3 of 45.6 MB`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// The layers that the engine has told of. It tells of all of them before the first is done.
    pub layers: usize,
    /// Those of them that are in their place.
    pub done: usize,
    /// The bytes that have come.
    pub bytes: u64,
    /// The bytes of the layers whose size is known so far; the engine downloads a few layers at a time.
    pub total: u64,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layers, done, bytes, total } = self;
        let s = if *layers == 1 { "" } else { "s" };
        write!(f, "{done} of {layers} layer{s}")?;
        if *total == 0 {
            return Ok(());
        }
        let (unit, name) = match total {
            0..1_000_000 => (1_000, "kB"),
            1_000_000..1_000_000_000 => (1_000_000, "MB"),
            _ => (1_000_000_000, "GB"),
        };
        let tenths = |bytes: u64| bytes / (unit / 10);
        let (now, end) = (tenths(*bytes), tenths(*total));
        write!(f, ", {}.{} of {}.{} {name}", now / 10, now % 10, end / 10, end % 10)
    }
}

/// A line of the answer to a pull or a load.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Line {
    id: Option<String>,
    status: Option<String>,
    progress_detail: Option<Detail>,
    error: Option<String>,
    error_detail: Option<ErrorDetail>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    current: Option<i64>,
    total: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorDetail {
    message: Option<String>,
}

impl Line {
    /// The engine's words, if the line says that it failed.
    fn failure(&mut self) -> Option<String> {
        let detail = self.error_detail.take().and_then(|detail| detail.message);
        self.error.take().or(detail).filter(|words| !words.is_empty())
    }
}

/// Reads the answer to its end and tells each step of the progress. What the engine calls an error in it is returned as
/// the engine's words.
pub(super) fn follow(
    call: &str,
    response: Response,
    progress: &mut dyn FnMut(Progress),
) -> Result<Result<(), String>, Error> {
    let mut layers = Layers::default();
    let mut last = Progress::default();
    for line in JsonLines::<Line>::new(call, response.body) {
        let mut line = line?;
        if let Some(words) = line.failure() {
            return Ok(Err(words));
        }
        layers.note(&line);
        let now = layers.sum();
        if now != last {
            progress(now);
            last = now;
        }
    }
    Ok(Ok(()))
}

#[derive(Default)]
struct Layers(BTreeMap<String, Layer>);

#[derive(Default)]
struct Layer {
    done: bool,
    bytes: u64,
    total: u64,
}

impl Layers {
    fn note(&mut self, line: &Line) {
        let (Some(id), Some(status)) = (&line.id, &line.status) else {
            return;
        };
        // The first line of a pull names the tag, not a layer.
        if status.starts_with("Pulling from") || id.is_empty() || id.len() > LONGEST_NAME {
            return;
        }
        if self.0.len() >= MOST_LAYERS && !self.0.contains_key(id) {
            return;
        }
        let layer = self.0.entry(id.clone()).or_default();
        match status.as_str() {
            // A size that is not known is 0 or -1.
            "Downloading" | "Loading layer" => {
                let number = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
                let detail = line.progress_detail.as_ref();
                layer.total = detail.and_then(|detail| number(detail.total)).unwrap_or(layer.total);
                layer.bytes = detail.and_then(|detail| number(detail.current)).unwrap_or(0).min(layer.total);
                layer.done = status == "Loading layer" && layer.total > 0 && layer.bytes == layer.total;
            }
            // The numbers of "Extracting" are those of another journey.
            "Verifying Checksum" | "Download complete" | "Extracting" => layer.bytes = layer.total,
            "Pull complete" | "Already exists" => {
                layer.bytes = layer.total;
                layer.done = true;
            }
            _ => {}
        }
    }

    fn sum(&self) -> Progress {
        let layers = self.0.values();
        Progress {
            layers: self.0.len(),
            done: layers.clone().filter(|layer| layer.done).count(),
            bytes: layers.clone().fold(0, |sum, layer| sum.saturating_add(layer.bytes)),
            total: layers.fold(0, |sum, layer| sum.saturating_add(layer.total)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known after these lines.
    fn after(lines: &[&str]) -> String {
        let mut layers = Layers::default();
        for line in lines {
            layers.note(&serde_json::from_str(line).expect(line));
        }
        layers.sum().to_string()
    }

    #[test]
    fn a_pull_is_summed_up_layer_by_layer() {
        let mut lines = vec![
            r#"{"status":"Pulling from library/x","id":"latest"}"#,
            r#"{"status":"Pulling fs layer","progressDetail":{},"id":"a"}"#,
            r#"{"status":"Pulling fs layer","progressDetail":{},"id":"b"}"#,
            r#"{"status":"Already exists","progressDetail":{},"id":"c"}"#,
        ];
        assert_eq!(after(&lines), "1 of 3 layers");
        lines.push(r#"{"status":"Downloading","progressDetail":{"current":1250000,"total":5000000},"id":"a"}"#);
        assert_eq!(after(&lines), "1 of 3 layers, 1.2 of 5.0 MB");
        lines.push(r#"{"status":"Downloading","progressDetail":{"current":1000000,"total":1000000},"id":"b"}"#);
        assert_eq!(after(&lines), "1 of 3 layers, 2.2 of 6.0 MB");
        lines.push(r#"{"status":"Download complete","progressDetail":{},"id":"a"}"#);
        lines.push(r#"{"status":"Extracting","progressDetail":{"current":10,"total":5000000},"id":"a"}"#);
        lines.push(r#"{"status":"Extracting","progressDetail":{"current":1,"units":"s"},"id":"b"}"#);
        assert_eq!(after(&lines), "1 of 3 layers, 6.0 of 6.0 MB");
        lines.push(r#"{"status":"Pull complete","progressDetail":{},"id":"a"}"#);
        lines.push(r#"{"status":"Pull complete","id":"b"}"#);
        lines.push(r#"{"status":"Status: Downloaded newer image for x:latest"}"#);
        assert_eq!(after(&lines), "3 of 3 layers, 6.0 of 6.0 MB");
    }

    #[test]
    fn a_download_that_begins_anew_counts_anew() {
        let begun = r#"{"status":"Downloading","progressDetail":{"current":900,"total":1000},"id":"a"}"#;
        let wait = r#"{"status":"Retrying in 5 seconds","progressDetail":{},"id":"a"}"#;
        let again = r#"{"status":"Downloading","progressDetail":{"current":100,"total":1000},"id":"a"}"#;
        assert_eq!(after(&[begun, wait, again]), "0 of 1 layer, 0.1 of 1.0 kB");
    }

    #[test]
    fn a_load_is_summed_up_too() {
        let half =
            r#"{"status":"Loading layer","progressDetail":{"current":512,"total":1024},"progress":"[=>]","id":"a"}"#;
        let whole = r#"{"status":"Loading layer","progressDetail":{"current":1024,"total":1024},"id":"a"}"#;
        assert_eq!(after(&[half]), "0 of 1 layer, 0.5 of 1.0 kB");
        assert_eq!(after(&[half, whole, r#"{"stream":"Loaded image: x:latest\n"}"#]), "1 of 1 layer, 1.0 of 1.0 kB");
    }

    #[test]
    fn a_size_that_is_not_known_or_nonsense_does_no_harm() {
        for detail in ["{}", "null", r#"{"current":7}"#, r#"{"current":7,"total":-1}"#, r#"{"current":-7,"total":0}"#] {
            let line = format!(r#"{{"status":"Downloading","progressDetail":{detail},"id":"a"}}"#);
            assert_eq!(after(&[&line]), "0 of 1 layer", "{detail}");
        }
        let more = r#"{"status":"Downloading","progressDetail":{"current":7000,"total":3000},"id":"a"}"#;
        assert_eq!(after(&[more]), "0 of 1 layer, 3.0 of 3.0 kB");
        let most = i64::MAX;
        let line =
            |id| format!(r#"{{"status":"Downloading","progressDetail":{{"current":9,"total":{most}}},"id":"{id}"}}"#);
        let all = [line('a'), line('b'), line('c')];
        assert_eq!(after(&all.each_ref().map(String::as_str)), "0 of 3 layers, 0.0 of 18446744073.7 GB");
        assert_eq!(after(&[r#"{"status":null,"id":null}"#, r#"{"aux":{"ID":"x"}}"#]), "0 of 0 layers");
    }

    #[test]
    fn layers_without_end_are_not_kept() {
        let mut layers = Layers::default();
        let mut note = |id: &str| {
            let line = Line { id: Some(id.to_owned()), status: Some("Waiting".to_owned()), ..Line::default() };
            layers.note(&line);
            layers.0.len()
        };
        for number in 0..2 * MOST_LAYERS {
            note(&number.to_string());
        }
        assert_eq!(note(&"x".repeat(LONGEST_NAME + 1)), MOST_LAYERS);
    }

    #[test]
    fn an_error_is_told_by_either_of_its_two_names() {
        for (line, words) in [
            (r#"{"errorDetail":{"message":"denied"},"error":"denied"}"#, Some("denied")),
            (r#"{"errorDetail":{"code":1,"message":"denied"}}"#, Some("denied")),
            (r#"{"error":"denied"}"#, Some("denied")),
            (r#"{"error":"","errorDetail":null,"status":"Waiting"}"#, None),
        ] {
            let mut line: Line = serde_json::from_str(line).expect(line);
            assert_eq!(line.failure().as_deref(), words);
        }
    }
}
