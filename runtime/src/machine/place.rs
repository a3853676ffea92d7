//! Variables and `ctx.state`, read and changed where they are.

use std::sync::Arc;

use wf_lang::program::{PlaceAction, PlaceStep, Reg, Root};

use super::{Machine, fiber::Fiber};
use crate::{
    fault::{Fault, Kind},
    native::NativeContext,
    ops,
    value::Value,
};

impl Machine {
    /// Reads or changes a place of a frame.
    pub(super) fn place(
        &mut self,
        fiber: &mut Fiber,
        base: usize,
        first: Reg,
        place: u16,
        module: usize,
    ) -> Result<(), Fault> {
        let image = Arc::clone(&self.image);
        let place = &image.program.places[usize::from(place)];
        let from = base + usize::from(first);
        let keys = place.steps.iter().filter(|step| matches!(step, PlaceStep::Index)).count();
        let operands = match place.action {
            PlaceAction::Get => 0,
            PlaceAction::Set | PlaceAction::Update(_) => 1,
            PlaceAction::Method { argc, .. } => usize::from(argc),
        };
        let mut args: Vec<Value> = fiber.regs[from..from + keys + operands].iter_mut().map(std::mem::take).collect();
        let operands = args.split_off(keys);
        let mut args = args.iter();
        let nothing = Value::Null;
        let steps: Vec<ops::PlaceStep<'_>> = place
            .steps
            .iter()
            .map(|step| match step {
                PlaceStep::Field { name, lenient } => {
                    ops::PlaceStep::Field { name: &image.names[usize::from(*name)], lenient: *lenient }
                }
                PlaceStep::Index => ops::PlaceStep::Index(args.next().unwrap_or(&nothing)),
            })
            .collect();
        let root = match place.root {
            Root::Local(reg) => &mut fiber.regs[base + usize::from(reg)],
            Root::State => {
                self.root_changed |= !matches!(place.action, PlaceAction::Get);
                let first = fiber.around.context as usize * image.program.modules.len();
                &mut self.states[first + module]
            }
        };
        let mut operands = operands.into_iter();
        let result = match place.action {
            PlaceAction::Get => Some(ops::place_get(root, &steps)?),
            PlaceAction::Set => {
                let new = operands.next().unwrap_or_default();
                if matches!(place.root, Root::State) && !new.is_data() {
                    return Err(not_data());
                }
                ops::place_set(root, &steps, new)?;
                None
            }
            PlaceAction::Update(operator) => {
                let operand = operands.next().unwrap_or_default();
                if matches!(place.root, Root::State) && !operand.is_data() {
                    return Err(not_data());
                }
                ops::place_update(root, &steps, operator, &operand)?;
                None
            }
            PlaceAction::Method { native, .. } => {
                let mut args: Vec<Value> = std::iter::once(Value::Null).chain(operands).collect();
                if matches!(place.root, Root::State) && !args.iter().all(Value::is_data) {
                    return Err(not_data());
                }
                let context = NativeContext { program: &image.program };
                let method = image.natives[usize::from(native)];
                Some(ops::place_method(root, &steps, &mut args, |args| method(&context, args))?)
            }
        };
        if let Some(value) = result {
            fiber.regs[from] = value;
        }
        Ok(())
    }
}
fn not_data() -> Fault {
    Fault::new(Kind::Type, "`ctx.state` holds data only: no functions, agents, types or secrets")
}
