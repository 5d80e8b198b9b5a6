//! A stack, a Compose file or a file of labels, and the pods that it declares.

use std::path::Path;

use crate::compose::{self, Kind, Place, Project, Source, Surroundings};

use super::error::Error;
use super::labels::{self, Label, PodSpec, Service};
use super::warning::Warning;

/// A pod of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    /// The service that is its controller; none where the document is one pod.
    pub name: Option<String>,
    /// What was asked for.
    pub spec: PodSpec,
}

/// Reads the pods of a document: of each service of a stack that has labels of a pod, else of the Compose project that it
/// is, or of the labels that it lists, in YAML or as lines of `KEY=VALUE`. `path` names it, and is absolute where it is a file.
pub fn pods_in(path: &Path, text: &str, surroundings: &Surroundings) -> Result<Vec<Pod>, Error> {
    let surroundings = &surroundings.for_another();
    let source = Source::file(path);
    let one = |spec| vec![Pod { name: None, spec }];
    if let Some(labels) = lines(text, &source) {
        return Ok(one(PodSpec::read(&labels, surroundings)?));
    }
    // It is read once more below, for what it is.
    let document = surroundings.for_another().parse(&source, text)?;
    let is_project = |(key, _): &(String, _)| matches!(key.as_str(), "services" | "include");
    if !matches!(&document.kind, Kind::Map(entries) if entries.iter().any(is_project)) {
        return Ok(one(PodSpec::read(&labels::labels_alone(&document)?, surroundings)?));
    }
    if labels::controllers(&document)?.is_empty() {
        let project = if path.is_absolute() {
            Project::load(path, &document, surroundings)?
        } else {
            Project::from_text(&source, text, surroundings)?
        };
        return Ok(one(PodSpec::from_project(&project, surroundings)?));
    }
    // As a stack is deployed: `$$` is a dollar sign, there is no `.env`, and no variable is left.
    let (deployed, unset) = compose::interpolated(&source, text, &Surroundings { kept: &[], ..surroundings.clone() })?;
    // They are told once, with the first pod.
    let mut unset: Vec<_> = unset.into_iter().map(|(place, name)| Warning::Unset { place, name }).collect();
    let pod = |Service { name, labels, warning }: Service| {
        let mut spec = PodSpec::read(&labels, surroundings)?;
        spec.warnings.append(&mut unset);
        spec.warnings.extend(warning);
        Ok(Pod { name: Some(name), spec })
    };
    labels::controllers(&deployed)?.into_iter().map(pod).collect()
}

/// Labels as `docker run --label-file` takes them: lines of `KEY=VALUE`; none if this is something else.
fn lines(text: &str, source: &Source) -> Option<Vec<Label>> {
    let mut labels = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let (key, text) = trimmed.split_once('=').filter(|(key, _)| !key.contains([':', ' ', '{']))?;
        let column = line.len() - trimmed.len() + key.chars().count() + 2;
        let place = Place::of(source, number + 1, column);
        labels.push(Label { key: key.to_owned(), text: text.to_owned(), source: Source::label_at(key, &place, true) });
    }
    labels.sort_by(|a, b| a.key.cmp(&b.key));
    (!labels.is_empty()).then_some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each pod as `CONTROLLER: COMPONENT COMPONENT …`.
    fn pods(text: &str) -> Result<Vec<String>, String> {
        let pods = pods_in(Path::new("stdin"), text, &Surroundings::default()).map_err(|error| error.to_string())?;
        let line = |Pod { name, spec }: Pod| {
            let names: Vec<String> = spec.components.into_iter().map(|component| component.name).collect();
            format!("{}: {}", name.unwrap_or_default(), names.join(" "))
        };
        Ok(pods.into_iter().map(line).collect())
    }

    #[test]
    fn each_kind_of_document_is_known() {
        for text in [
            "services:\n  app: {image: x}\n",
            "pod.component.app: |\n  image: x\n",
            "# labels\npod.component.app=image: x\ncom.example.a-label=y\n",
            "- 'pod.component.app=image: x'\n",
        ] {
            assert_eq!(pods(text), Ok(vec![": app".to_owned()]), "{text}");
        }
        let stack = "services:\n  db: {image: x}\n  web: {image: podlike, labels: ['pod.component.app=image: x']}\n";
        assert_eq!(pods(stack), Ok(vec!["web: app".to_owned()]));
    }

    #[test]
    fn only_a_stack_has_variables_in_its_labels() {
        let app = |image: &str| format!("pod.component.app: 'image: {image}'\n");
        assert_eq!(pods(&app("x:$T")).map_err(|error| error.contains("x:$T")), Err(true));
        let stack = |image: &str| format!("services: {{web: {{labels: {{{}}}}}}}", app(image).trim());
        assert_eq!(pods(&stack("x${T-:1}")), Ok(vec!["web: app".to_owned()]));
        assert_eq!(pods(&stack("x:$$T")).map_err(|error| error.contains("x:$T")), Err(true));
    }

    #[test]
    fn errors_have_the_place_in_the_document() {
        let stack = "services:\n  web:\n    labels:\n      pod.component.app: |\n        image: x\n        comand: y\n";
        for (text, expected) in [
            (stack, "stdin:6:9: label 'pod.component.app': unknown key 'comand', did you mean 'command'?"),
            (
                "pod.component.app={image: x, comand: y}",
                "stdin:1:30: label 'pod.component.app': unknown key 'comand', did you mean 'command'?",
            ),
            (
                "pod.component.app: {image: x}\n",
                "stdin:1:1: pod.component.app: the value of a label is a text: write '|' behind its colon",
            ),
            ("services:\n  app:\n    imag: x\n", "stdin:3:5: services.app: unknown key 'imag', did you mean 'image'?"),
        ] {
            assert_eq!(pods(text), Err(expected.to_owned()), "{text}");
        }
    }
}
