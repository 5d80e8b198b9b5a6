//! `podlike validate`: what would be run, without running it.

use serde_json::{Value, json};

use crate::cli::{Flags, Settings, Validation};
use crate::engine::{Capabilities, Engine};
use crate::pod::{self, Controller, Placement, Plan, Planned, PlannedVolume, PodSpec};
use crate::supervisor::chain;

use super::controller::{controller, service, who_am_i};
use super::input::read;
use super::{Error, Outcome, host, surroundings, version};

/// Reads the pods of a document, or of our own labels, and prints the engine that they would run on, their plans and every
/// warning.
pub fn validate(settings: &Settings, flags: &Flags, validation: &Validation) -> Result<Outcome, Error> {
    let result = checked(settings, flags, validation);
    if validation.json {
        let value = match &result {
            Ok(checked) => checked.json(),
            Err(error) => json!({ "error": chain(error) }),
        };
        version::print(&format!("{value:#}"))?;
    }
    let checked = result?;
    if !validation.json {
        if let Some(engine) = &checked.engine {
            version::print(&format!("{}\n", version::shown(engine, &checked.placement)))?;
        }
        for pod in &checked.pods {
            version::print(&pod.text())?;
        }
    }
    Ok(Outcome::Done)
}

/// What was checked.
struct Checked {
    pods: Vec<Pod>,
    /// The engine, where there is one.
    engine: Option<Capabilities>,
    placement: Placement,
}

impl Checked {
    fn json(&self) -> Value {
        let engine = self.engine.as_ref().map(|engine| {
            let mut shown = json!(engine);
            shown["auto_remove"] = engine.auto_remove().into();
            shown
        });
        let pods: Vec<_> = self.pods.iter().map(Pod::json).collect();
        json!({ "engine": engine, "placement": self.placement, "pods": pods })
    }
}

/// A pod that can be run.
struct Pod {
    name: Option<String>,
    plan: Plan,
    /// Everything that is not as asked for, or not there yet.
    warnings: Vec<String>,
}

impl Pod {
    fn json(&self) -> Value {
        json!({ "name": self.name, "plan": self.plan, "warnings": self.warnings })
    }

    fn text(&self) -> String {
        let mut lines: Vec<String> = self.name.iter().map(|name| format!("# {name}")).collect();
        lines.push(self.plan.to_string());
        lines.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        lines.join("\n").trim_end().to_owned()
    }
}

fn checked(settings: &Settings, flags: &Flags, validation: &Validation) -> Result<Checked, Error> {
    let surroundings = surroundings(settings, flags);
    let engine = host(settings).and_then(Engine::connect);
    let engine = engine.and_then(|engine| Ok((engine.all_capabilities()?, engine)));
    let (controller, specs) = match &validation.file {
        None => {
            let (known, engine) = engine.as_ref().map_err(|error| Error::NoLabels(error.to_string()))?;
            let mut controller = controller(who_am_i(settings, engine)?, engine, known.clone())?;
            service(engine, &mut controller)?;
            let spec = PodSpec::from_labels(&controller.labels, &surroundings)?;
            (controller, vec![pod::Pod { name: None, spec }])
        }
        Some(file) => {
            let (path, text) = read(file, &surroundings)?;
            let capabilities = engine.as_ref().map(|(capabilities, _)| capabilities.clone());
            (Controller::assumed(capabilities.unwrap_or_default()), pod::pods_in(&path, &text, &surroundings)?)
        }
    };
    let no_engine = match &engine {
        Ok(_) => None,
        Err(error) => {
            Some(format!("without an engine nothing is known of images, volumes and limits: {}", chain(error)))
        }
    };
    let placement = Placement::choose(&controller, flags.options.cgroup);
    let check = |pod: pod::Pod| {
        let (plan, warnings) = pod::plan(&pod.spec, &controller, &placement, flags.options)?;
        let mut warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        warnings.extend(no_engine.clone());
        if let Ok((_, engine)) = &engine {
            for planned in &plan.components {
                warnings.extend(lacks(engine, planned));
            }
        }
        Ok(Pod { name: pod.name, plan, warnings })
    };
    let pods = specs.into_iter().map(check).collect::<Result<_, Error>>()?;
    Ok(Checked { pods, engine: engine.ok().map(|(capabilities, _)| capabilities), placement })
}

/// What the engine does not have of what a component needs, or does not tell.
fn lacks(engine: &Engine, planned: &Planned) -> Vec<String> {
    let image = &planned.request.image;
    if !planned.in_memory.is_empty() || image == pod::OWN_IMAGE {
        return Vec::new();
    }
    let mut lacks = Vec::new();
    match engine.image(image) {
        Ok(Some(details)) => {
            if let Some(platform) = planned.platform.as_ref().filter(|platform| !details.is_for(platform)) {
                lacks.push(format!("the engine has the image '{image}', but not for the platform {platform}"));
            }
        }
        Ok(None) => lacks.push(format!("the engine does not have the image '{image}'")),
        Err(error) => lacks.push(format!("the image '{image}': {}", chain(&error))),
    }
    for volume in &planned.volumes {
        if let PlannedVolume::External(name) = volume
            && let Err(error) = engine.volume(name)
        {
            lacks.push(format!("the volume '{name}': {}", chain(&error)));
        }
    }
    lacks.into_iter().map(|lack| format!("component '{}': {lack}", planned.name)).collect()
}
