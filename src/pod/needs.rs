//! What a component waits for: `depends_on` in both forms and the order of init components become one list of [`Need`]s.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use crate::compose::{self, Kind, Node, Place};

use super::component::{Component, Stage};
use super::error::Error;
use super::role::Role;

/// How far another component must have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Until {
    #[default]
    /// It runs (`service_started`).
    Started,
    /// Its health check passes, or its readiness probe (`service_healthy`).
    Healthy,
    /// It runs, and is well by what checks it: a sidecar, for those that it helps.
    Ready,
    /// It has ended with 0 (`service_completed_successfully`).
    Succeeded,
}

/// An entry of `depends_on`, or another component that must run because of a namespace or volumes; by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dependency {
    /// Where it was written.
    pub place: Place,
    /// The path of the key that says so.
    pub at: String,
    /// The name of the other component.
    pub on: String,
    /// The condition.
    pub until: Until,
    /// `required`: whether it must be there.
    pub required: bool,
    /// Whether it must still be there: its namespace or its volumes are asked for.
    pub alive: bool,
    /// `restart`: whether it is restarted with the other one.
    pub restart: bool,
    /// `x-podlike-timeout`: how long the other one may take to be healthy, from its start on.
    pub limit: Option<Duration>,
}

impl Dependency {
    /// That a component runs.
    pub(super) fn running(on: String, node: &Node) -> Self {
        Self { place: node.place.clone(), at: node.at.clone(), on, required: true, ..Self::default() }
    }

    /// That a component runs, and lends what is its own.
    pub(super) fn alive(on: String, node: &Node) -> Self {
        Self { alive: true, ..Self::running(on, node) }
    }
}

/// A dependency by position in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Need {
    /// The other component's position.
    pub on: usize,
    /// The condition.
    pub until: Until,
    /// Whether the pod ends when the condition can hold no more; else it is waited for no longer.
    #[serde(skip_serializing_if = "is_true")]
    pub required: bool,
    /// Whether a restart of the other one restarts this one, too.
    #[serde(skip_serializing_if = "is_false")]
    pub restart: bool,
    /// How long it is waited for once the other one has been started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Duration>,
    /// Whether it is for something that the other one lends and that is kept by who has it: they may stop in any order.
    #[serde(skip)]
    pub lent: bool,
}

impl Need {
    /// That another component has come so far.
    pub fn new(on: usize, until: Until) -> Self {
        Self { on, until, required: true, restart: false, limit: None, lent: false }
    }

    /// That another component runs, which lends something that is kept by who has it.
    pub fn lent(on: usize) -> Self {
        Self { lent: true, ..Self::new(on, Until::Started) }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape is serde's")]
fn is_true(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape is serde's")]
fn is_false(value: &bool) -> bool {
    !value
}

/// How long a component waits for the health of another.
const LIMIT: &str = "x-podlike-timeout";

/// Reads `depends_on`: a list of names, or a mapping to conditions.
pub(super) fn dependencies(node: &Node) -> Result<Vec<Dependency>, compose::Error> {
    const KEYS: [&str; 4] = ["condition", "required", "restart", LIMIT];
    let Kind::Map(entries) = &node.kind else {
        let items = if let Kind::List(items) = &node.kind { items.as_slice() } else { std::slice::from_ref(node) };
        let name = |item: &Node| match item.kind {
            Kind::Map(_) => Err(item.expected("a name (one with a condition is a key of a mapping, without '- ')")),
            _ => item.text(),
        };
        return items.iter().map(|item| Ok(Dependency::running(name(item)?, item))).collect();
    };
    entries
        .iter()
        .map(|(on, value)| {
            let mut dependency = Dependency { place: value.key.clone(), ..Dependency::running(on.clone(), value) };
            if !value.is_null() {
                for (key, setting) in value.map()? {
                    match key.as_str() {
                        "condition" => dependency.until = condition_of(setting)?,
                        "required" => dependency.required = setting.bool()?,
                        "restart" => dependency.restart = setting.bool()?,
                        LIMIT => dependency.limit = Some(compose::duration(setting)?),
                        key if key.starts_with("x-podlike-") => return Err(value.unknown(key, KEYS)),
                        key if key.starts_with("x-") => {}
                        _ => return Err(value.unknown(key, KEYS)),
                    }
                }
                if let Some(limit) = value.get(LIMIT).filter(|_| dependency.until != Until::Healthy) {
                    return Err(limit.refused("it goes with 'condition: service_healthy'"));
                }
            }
            Ok(dependency)
        })
        .collect()
}

fn condition_of(node: &Node) -> Result<Until, compose::Error> {
    match node.text()?.as_str() {
        "service_started" => Ok(Until::Started),
        "service_healthy" => Ok(Until::Healthy),
        "service_completed_successfully" => Ok(Until::Succeeded),
        _ => Err(node.invalid("a condition: service_started, service_healthy or service_completed_successfully")),
    }
}

/// The needs of each component, in the order of the components. An init component needs the one before it, a main
/// component the last of them, each to have succeeded; who is no sidecar needs every sidecar to be ready. `skipped` are the names that no profile chose.
pub(super) fn resolve(components: &[Component], skipped: &[String]) -> Result<Vec<Vec<Need>>, Error> {
    let positions: HashMap<&str, usize> =
        components.iter().enumerate().map(|(position, component)| (component.name.as_str(), position)).collect();
    let last_init = components.iter().rposition(|component| component.stage == Stage::Init);
    let needs = components
        .iter()
        .enumerate()
        .map(|(position, component)| {
            let before = match component.stage {
                Stage::Init => position.checked_sub(1),
                Stage::Main => last_init,
            };
            let mut needs: Vec<_> = before.map(|on| Need::new(on, Until::Succeeded)).into_iter().collect();
            for dependency in &component.depends_on {
                let Some(on) = positions.get(dependency.on.as_str()).copied() else {
                    if dependency.required {
                        return Err(Error::UnknownDependency {
                            place: Box::new(dependency.place.clone()),
                            at: dependency.at.clone(),
                            on: dependency.on.clone(),
                            skipped: skipped.contains(&dependency.on),
                            nearest: nearest(&dependency.on, components),
                        });
                    }
                    continue;
                };
                if dependency.alive && components[on].stage == Stage::Init {
                    return Err(Error::HasEnded {
                        place: Box::new(dependency.place.clone()),
                        at: dependency.at.clone(),
                        on: dependency.on.clone(),
                    });
                }
                if components[on].role == Role::Sidecar && dependency.until == Until::Succeeded {
                    return Err(Error::NeverSucceeds {
                        place: Box::new(dependency.place.clone()),
                        at: dependency.at.clone(),
                        on: dependency.on.clone(),
                    });
                }
                if components[on].stage == Stage::Main {
                    let Dependency { until, required, restart, limit, .. } = *dependency;
                    needs.push(Need { required, restart, limit, ..Need::new(on, until) });
                }
            }
            if component.stage == Stage::Main && component.role != Role::Sidecar {
                let sidecars = components.iter().enumerate().filter(|(_, other)| other.role == Role::Sidecar);
                needs.extend(sidecars.map(|(on, _)| Need::new(on, Until::Ready)));
            }
            Ok(needs)
        })
        .collect::<Result<Vec<_>, Error>>()?;
    match order(&needs) {
        Ok(_) => Ok(needs),
        Err(circle) => Err(in_a_circle(components, &circle)),
    }
}

/// The error about a circle, which begins with a component that says so itself.
fn in_a_circle(components: &[Component], circle: &[usize]) -> Error {
    let name = |on: &usize| components[*on].name.clone();
    let mut steps = circle.windows(2).enumerate();
    let (start, dependency) = steps
        .find_map(|(start, step)| {
            let on = |dependency: &&Dependency| dependency.on == name(&step[1]);
            Some((start, components[step[0]].depends_on.iter().find(on)?))
        })
        .expect("the order of init components alone has no circle");
    let around = circle[start..].iter().chain(&circle[1..=start]);
    Error::Circle {
        place: Box::new(dependency.place.clone()),
        at: dependency.at.clone(),
        names: around.map(name).collect(),
    }
}

/// The component whose name is nearest to a name that nobody has.
pub(super) fn nearest(name: &str, components: &[Component]) -> Option<String> {
    compose::nearest(name, components.iter().map(|component| component.name.as_str())).map(str::to_owned)
}

/// The positions in an order in which each comes after what it needs; else a circle, from a component to itself.
pub(super) fn order(needs: &[Vec<Need>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut missing: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut waiting = vec![Vec::new(); needs.len()];
    for (position, needs) in needs.iter().enumerate() {
        for need in needs {
            waiting[need.on].push(position);
        }
    }
    let mut order = Vec::new();
    let mut ready: Vec<usize> = (0..needs.len()).filter(|position| missing[*position] == 0).collect();
    while !ready.is_empty() {
        let mut next = Vec::new();
        for position in ready.iter().flat_map(|on| &waiting[*on]) {
            missing[*position] -= 1;
            if missing[*position] == 0 {
                next.push(*position);
            }
        }
        next.sort_unstable();
        order.append(&mut ready);
        ready = next;
    }
    let stuck: Vec<usize> = (0..needs.len()).filter(|position| missing[*position] > 0).collect();
    if stuck.is_empty() { Ok(order) } else { Err(circle(needs, &stuck)) }
}

/// A circle among components that all wait for each other.
fn circle(needs: &[Vec<Need>], stuck: &[usize]) -> Vec<usize> {
    let mut path = vec![stuck[0]];
    loop {
        let last = path[path.len() - 1];
        let next = needs[last].iter().map(|need| need.on).find(|on| stuck.contains(on));
        let next = next.expect("a stuck component needs another stuck one");
        if let Some(start) = path.iter().position(|on| *on == next) {
            path.drain(..start);
            path.push(next);
            return path;
        }
        path.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(edges: &[(&str, &[&str])]) -> Result<Vec<Vec<usize>>, String> {
        let components: Vec<_> = edges
            .iter()
            .map(|(name, on)| {
                let stage = if name.starts_with("init") { Stage::Init } else { Stage::Main };
                let mut component = Component::new(name, stage, "x");
                component.depends_on = on
                    .iter()
                    .map(|on| Dependency { on: (*on).to_owned(), required: true, ..Dependency::default() })
                    .collect();
                component
            })
            .collect();
        let needs = resolve(&components, &[]).map_err(|error| error.to_string())?;
        Ok(needs.into_iter().map(|needs| needs.into_iter().map(|need| need.on).collect()).collect())
    }

    #[test]
    fn init_components_queue_and_the_main_ones_need_the_last() {
        let needs = pod(&[("init-1", &[]), ("init-2", &[]), ("web", &["db"]), ("db", &[])]);
        assert_eq!(needs, Ok(vec![vec![], vec![0], vec![1, 3], vec![1]]));
    }

    #[test]
    fn an_unknown_name_is_refused_with_a_suggestion() {
        let error = pod(&[("web", &["dbb"]), ("db", &[])]).expect_err("unknown");
        assert_eq!(error, "line 0, column 0: : no such component 'dbb', did you mean 'db'?");
    }

    #[test]
    fn what_is_ready_together_keeps_its_order() {
        let need = |on: &usize| Need::new(*on, Until::Started);
        let needs = [&[3][..], &[], &[1, 1], &[], &[0, 2]].map(|on: &[usize]| on.iter().map(need).collect());
        assert_eq!(order(&needs), Ok(vec![1, 3, 0, 2, 4]));
    }

    #[test]
    fn all_but_sidecars_need_every_sidecar_to_be_ready() {
        let mut components: Vec<_> =
            ["init-1", "web", "log", "proxy"].map(|name| Component::new(name, Stage::Main, "x")).into();
        components[0].stage = Stage::Init;
        components[2].role = Role::Sidecar;
        components[3].role = Role::Sidecar;
        let init = Need::new(0, Until::Succeeded);
        let ready = |on| Need::new(on, Until::Ready);
        let expected = vec![vec![], vec![init, ready(2), ready(3)], vec![init], vec![init]];
        assert_eq!(resolve(&components, &[]), Ok(expected));
        components[3].depends_on = vec![Dependency { on: "web".to_owned(), required: true, ..Dependency::default() }];
        let error = resolve(&components, &[]).expect_err("a circle").to_string();
        assert!(error.ends_with("in a circle: proxy → web → proxy"), "{error}");
        components[3].depends_on[0].on = "log".to_owned();
        components[3].depends_on[0].until = Until::Succeeded;
        assert!(resolve(&components, &[]).is_err(), "a sidecar never succeeds");
    }

    #[test]
    fn a_limit_goes_with_health() {
        let read = |text: &str| dependencies(&compose::valid(text)).map_err(|error| error.to_string());
        let found = read("{db: {condition: service_healthy, x-podlike-timeout: 90s, restart: true}}").expect("needs");
        assert_eq!((found[0].limit, found[0].restart), (Some(Duration::from_secs(90)), true));
        for text in [
            "{db: {x-podlike-timeout: 90s}}",
            "{db: {condition: service_healthy, x-podlike-timeout: soon}}",
            "{db: {condition: service_healthy, x-podlike-timeot: 90s}}",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read("{db: {x-other: 1}}").is_ok());
    }

    #[test]
    fn a_circle_is_shown_from_end_to_end() {
        let error = pod(&[("x", &["a"]), ("a", &["b"]), ("b", &["c"]), ("c", &["a"])]).expect_err("a circle");
        assert_eq!(error, "line 0, column 0: : components wait for each other in a circle: a → b → c → a");
        assert!(pod(&[("a", &["a"])]).is_err());
    }
}
