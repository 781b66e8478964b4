//! `contactsd state`.

use super::args::{StateArgs, StateVerb};
use super::context::Context;
use super::{Exit, reading};
use crate::model::ContactKey;
use crate::store::Wanted;
use crate::ui::binding_text;

pub(super) fn run(args: &StateArgs, context: &mut Context) -> Exit {
    let Ok(snapshot) = reading::snapshot(context, &Wanted::everything()) else { return Exit::Failure };
    match &args.verb {
        StateVerb::List => {
            for key in snapshot.bindings.keys() {
                context.shell.result(key.address());
            }
            Exit::Success
        }
        StateVerb::Show { key } => match snapshot.bindings.get(key) {
            Some(binding) => {
                context.shell.result(binding_text(key, binding));
                Exit::Success
            }
            None => absent(key, context),
        },
    }
}

fn absent(key: &ContactKey, context: &mut Context) -> Exit {
    let state = context.locations.state.display();
    let detail = format!("The state {state} manages no such contact. `{}` lists them.", context.command("state list"));
    context.shell.error(format!("{} is not in the state", key.address()), detail);
    Exit::Failure
}
