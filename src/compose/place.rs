//! Where a value stands: the label or file, the line, the column.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A text that is read, and how errors name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Source {
    file: Option<Arc<str>>,
    label: Option<Arc<str>>,
    within: Within,
}

/// Which part of a file a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Within {
    /// All of it.
    #[default]
    Whole,
    /// A block whose first line starts here: lines and columns are those of the file.
    Block { line: usize, column: usize },
    /// A scalar here, in which lines and columns say nothing.
    Scalar { line: usize, column: usize },
}

impl Source {
    /// A file.
    pub fn file(path: &Path) -> Self {
        Self { file: Some(path.to_string_lossy().into()), ..Self::default() }
    }

    /// The value of a label.
    pub fn label(key: &str) -> Self {
        Self { label: Some(key.into()), ..Self::default() }
    }

    /// The value of a label that stands in a file: at `place`, and line by line as there if it is a literal `block`.
    pub fn label_at(key: &str, place: &Place, block: bool) -> Self {
        let Place { source, line, column } = place;
        let (line, column) = (*line, *column);
        let within = if block { Within::Block { line, column } } else { Within::Scalar { line, column } };
        Self { file: source.file.clone(), label: Some(key.into()), within }
    }

    /// Where the text as a whole stands: for a label that is in no file, without line and column.
    pub fn start(&self) -> Place {
        let (line, column) = match self.within {
            Within::Whole if self.label.is_some() => (0, 0),
            Within::Whole => (1, 1),
            Within::Block { line, column } | Within::Scalar { line, column } => (line, column),
        };
        Place::of(self, line, column)
    }

    /// The place of a line and a column of this text, both from 1 on.
    pub(super) fn place(self: &Arc<Self>, line: usize, column: usize) -> Place {
        let (line, column) = match self.within {
            Within::Whole => (line, column),
            Within::Block { line: first, column: indent } => (first + line - 1, indent + column - 1),
            Within::Scalar { line, column } => (line, column),
        };
        Place { source: Arc::clone(self), line, column }
    }
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Place {
    source: Arc<Source>,
    /// The line, from 1 on; 0 for a label as a whole.
    pub line: usize,
    /// The column in characters, from 1 on.
    pub column: usize,
}

impl Place {
    /// A place in a whole file.
    pub fn of(source: &Source, line: usize, column: usize) -> Self {
        Self { source: Arc::new(source.clone()), line, column }
    }

    /// Its file; empty for a label.
    pub fn file(&self) -> &Path {
        Path::new(self.source.file.as_deref().filter(|_| self.source.label.is_none()).unwrap_or(""))
    }

    /// The folder of its file, which relative paths are relative to; empty for a label.
    pub fn folder(&self) -> &Path {
        self.file().parent().unwrap_or(Path::new(""))
    }

    /// Whether it is in a file and not in a label.
    pub fn is_in_file(&self) -> bool {
        self.source.label.is_none() && self.source.file.is_some()
    }
}

/// `FILE:LINE:COLUMN`, or the label with line and column.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, line, column } = self;
        match (&source.file, &source.label) {
            (Some(file), Some(label)) => write!(f, "{file}:{line}:{column}: label '{label}'"),
            (Some(file), None) => write!(f, "{file}:{line}:{column}"),
            (None, Some(label)) if *line == 0 => write!(f, "label '{label}'"),
            (None, Some(label)) => write!(f, "label '{label}', line {line}, column {column}"),
            (None, None) => write!(f, "line {line}, column {column}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_in_a_file_has_the_places_of_the_file() {
        let file = Arc::new(Source::file(Path::new("stack.yml")));
        let at = |block| Arc::new(Source::label_at("pod.component.app", &file.place(10, 9), block)).place(2, 3);
        assert_eq!(at(true).to_string(), "stack.yml:11:11: label 'pod.component.app'");
        assert_eq!(at(false).to_string(), "stack.yml:10:9: label 'pod.component.app'");
    }
}
