//! What became of each component of a pod that ended for another reason than a signal, a line each, and the last words of
//! the one that is the reason.

use crate::supervisor::{Cause, End, Fate, LastWords, Life, Who, signal_name, span};

/// Before each line of a component's own.
const QUOTE: &str = "  | ";

/// All lines, ready to be told. `names` are the components', by position.
pub(super) fn lines(end: &End, names: &[String]) -> Vec<String> {
    if matches!(end.cause, Cause::Signal(_)) {
        return Vec::new();
    }
    let all = end.lives.iter().zip(names).enumerate();
    let told = all.filter(|(position, (life, name))| is_news(Who(*position), name, life, end));
    let mut lines: Vec<String> = told.map(|(_, (life, name))| format!("{name}: {}", words(life))).collect();
    if let Some(LastWords { of, lines: last }) = end.last_words.as_ref().filter(|last| !last.lines.is_empty()) {
        lines.push(format!("the last lines of {}:", names.get(of.0).map_or("a component", String::as_str)));
        lines.extend(last.iter().map(|line| format!("{QUOTE}{line}")));
    }
    lines
}

/// Whether somebody may want to know: not of an init component that has done its work.
fn is_news(who: Who, name: &str, life: &Life, end: &End) -> bool {
    let is_culprit = matches!(end.cause, Cause::Exited(culprit, _) if culprit == who);
    let number = name.strip_prefix("init-").and_then(|number| number.parse::<usize>().ok());
    let has_done_its_work = number.is_some() && life.code == Some(0);
    !life.ours && (is_culprit || !has_done_its_work)
}

/// The end of a component in words.
fn words(life: &Life) -> String {
    let ran = span(life.ran);
    let words = match (&life.fate, life.code) {
        (Fate::NeverStarted(Some(needed)), _) => format!("never started: waited for {needed}"),
        (Fate::NeverStarted(None), _) => "never started: the end of the pod came first".to_owned(),
        (Fate::Failed, Some(_)) if life.ran.is_zero() => "could not be started again".to_owned(),
        (Fate::Failed, None) if life.ran.is_zero() => "could not be started".to_owned(),
        (Fate::Failed, _) => format!("was lost after {ran}"),
        (Fate::Ended, Some(code)) => format!("ended with exit code {} after {ran}", exit(code, life.oom)),
        (Fate::Ended, None) => format!("ended after {ran}"),
        (Fate::Stopped, Some(code)) => {
            format!("stopped with the pod after {ran}, exit code {}", exit(code, life.oom))
        }
        (Fate::Stopped, None) => format!("stopped with the pod after {ran}"),
    };
    match life.restarts {
        0 => words,
        1 => format!("{words}, 1 restart"),
        many => format!("{words}, {many} restarts"),
    }
}

/// An exit code, and what it means where a shell would say it: 128 and the signal.
fn exit(code: i64, oom: bool) -> String {
    let signal = code.checked_sub(128).and_then(|signal| i32::try_from(signal).ok()).filter(|it| (1..=64).contains(it));
    match signal {
        Some(9) if oom => format!("{code} (killed by the OOM killer)"),
        Some(signal) if oom => format!("{code} ({}, after the OOM killer struck in it)", signal_name(signal)),
        Some(signal) => format!("{code} ({})", signal_name(signal)),
        None if oom => format!("{code} (after the OOM killer struck in it)"),
        None => code.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn life(fate: Fate, code: Option<i64>) -> Life {
        Life { fate, code, oom: false, ran: Duration::from_millis(2345), restarts: 0, ours: false }
    }

    fn end(cause: Cause, lives: Vec<Life>, said: &[&str]) -> End {
        let last_words = LastWords { of: Who(0), lines: said.iter().map(|line| (*line).to_owned()).collect() };
        End { lives, last_words: Some(last_words), ..End::new(cause, false) }
    }

    #[test]
    fn each_way_to_end_has_its_words() {
        let words = |fate, code, oom| words(&Life { oom, ..life(fate, code) });
        assert_eq!(words(Fate::Ended, Some(3), false), "ended with exit code 3 after 2.3 s");
        assert_eq!(words(Fate::Ended, Some(137), false), "ended with exit code 137 (SIGKILL) after 2.3 s");
        assert_eq!(
            words(Fate::Ended, Some(137), true),
            "ended with exit code 137 (killed by the OOM killer) after 2.3 s"
        );
        assert_eq!(
            words(Fate::Ended, Some(1), true),
            "ended with exit code 1 (after the OOM killer struck in it) after 2.3 s"
        );
        assert_eq!(words(Fate::Ended, Some(255), false), "ended with exit code 255 after 2.3 s");
        assert_eq!(words(Fate::Stopped, Some(143), false), "stopped with the pod after 2.3 s, exit code 143 (SIGTERM)");
        assert_eq!(words(Fate::Stopped, None, false), "stopped with the pod after 2.3 s");
        assert_eq!(words(Fate::Failed, None, false), "was lost after 2.3 s");
        assert_eq!(words(Fate::NeverStarted(Some("db".into())), None, false), "never started: waited for db");
        assert_eq!(words(Fate::NeverStarted(None), None, false), "never started: the end of the pod came first");
        let failed = Life { ran: Duration::ZERO, ..life(Fate::Failed, None) };
        assert_eq!(super::words(&failed), "could not be started");
        let again = Life { code: Some(3), ..failed };
        assert_eq!(super::words(&again), "could not be started again");
    }

    #[test]
    fn restarts_are_counted() {
        let words = |restarts| words(&Life { restarts, ..life(Fate::Ended, Some(1)) });
        assert!(words(1).ends_with(" s, 1 restart") && words(5).ends_with(" s, 5 restarts"));
    }

    #[test]
    fn init_components_that_did_their_work_and_what_is_ours_are_not_told() {
        let names = ["init-1", "init-2", "web", "(memory)"].map(str::to_owned);
        let ours = Life { ours: true, ..life(Fate::Stopped, Some(0)) };
        let of = |cause| {
            let lives = [Some(0), Some(4), Some(1)].map(|code| life(Fate::Ended, code));
            lines(&end(cause, [&lives[..], std::slice::from_ref(&ours)].concat(), &["one", "two"]), &names)
        };
        let told = of(Cause::Exited(Who(2), 1));
        assert_eq!(told[0], "init-2: ended with exit code 4 after 2.3 s");
        assert_eq!(told[1], "web: ended with exit code 1 after 2.3 s");
        assert_eq!(told[2..], ["the last lines of init-1:", "  | one", "  | two"]);
        assert!(of(Cause::Exited(Who(0), 0))[0].starts_with("init-1: ended with exit code 0"));
        let job = lines(&end(Cause::Exited(Who(1), 1), vec![life(Fate::Ended, Some(0))], &[]), &["init-db".to_owned()]);
        assert_eq!(job, ["init-db: ended with exit code 0 after 2.3 s"], "a component, whatever its name");
        assert!(of(Cause::Signal(15)).is_empty());
    }

    #[test]
    fn who_said_nothing_has_no_last_lines() {
        let told = lines(&end(Cause::Exited(Who(0), 1), vec![life(Fate::Ended, Some(1))], &[]), &["web".to_owned()]);
        assert_eq!(told.len(), 1);
    }
}
