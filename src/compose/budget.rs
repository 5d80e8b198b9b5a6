//! What reading a pod may take. A few lines can stand for billions: by aliases, by variables in variables, by files and
//! services that draw in each other. All that a pod draws in has one budget.

use std::cell::Cell;

use super::Problem;

/// Values, far more than anybody writes.
const VALUES: usize = 50_000;
/// Bytes: of files and of texts, those that stand for others as often as they do.
const BYTES: usize = 16 << 20;
/// What a file takes, however short it is, in values.
const FILE: usize = 20;

/// What is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    values: Cell<usize>,
    bytes: Cell<usize>,
    is_spent: Cell<bool>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { values: VALUES.into(), bytes: BYTES.into(), is_spent: false.into() }
    }
}

impl Budget {
    /// Takes values and their bytes.
    pub fn take(&self, values: usize, bytes: usize) -> Result<(), Problem> {
        let why = match (self.values.get().checked_sub(values), self.bytes.get().checked_sub(bytes)) {
            (Some(values), Some(bytes)) => {
                self.values.set(values);
                self.bytes.set(bytes);
                return Ok(());
            }
            (None, _) => "with its aliases and all that it draws in, it has more than 50000 values",
            (_, None) => "with its aliases and all that it draws in, it is longer than 16 MiB",
        };
        self.is_spent.set(true);
        Err(Problem::TooLarge(why))
    }

    /// Takes a file.
    pub(super) fn take_file(&self, text: &str) -> Result<(), Problem> {
        self.take(FILE, text.len())
    }

    /// Whether more was asked for than there was.
    pub(super) fn is_spent(&self) -> bool {
        self.is_spent.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_gone() {
        let budget = Budget::default();
        assert_eq!(budget.take(VALUES - 1, 0), Ok(()));
        assert_eq!(budget.take(1, BYTES), Ok(()));
        assert!(!budget.is_spent());
        assert!(budget.take(1, 0).is_err() && budget.take(0, 1).is_err() && budget.is_spent());
    }
}
