//! Variables and `ctx.state`, read and changed where they are.

use wf_lang::program::{Place, PlaceAction, PlaceStep, Reg, Root};

use super::{Image, Machine};
use crate::{
    fault::{Fault, Kind},
    native::NativeContext,
    ops,
    value::Value,
};

/// More steps, or operands, than this take a list of their own.
const FEW: usize = 4;

impl Machine {
    /// Reads or changes a place of a frame with these registers, which sees that one of the states.
    pub(super) fn place(
        &mut self,
        image: &Image,
        registers: &mut [Value],
        first: Reg,
        place: u16,
        state: usize,
    ) -> Result<(), Fault> {
        let place = &image.program.places[usize::from(place)];
        let first = usize::from(first);
        // The variable is held apart meanwhile, for its keys stand in the registers around it.
        let mut root = match place.root {
            Root::Local(reg) => registers[usize::from(reg)].take(),
            Root::State => {
                self.root_changed |= !matches!(place.action, PlaceAction::Get);
                self.states[state].take()
            }
        };
        let keys = place.steps.iter().filter(|step| matches!(step, PlaceStep::Index)).count();
        let operands = match place.action {
            PlaceAction::Get => 0,
            PlaceAction::Set | PlaceAction::Update(_) => 1,
            PlaceAction::Method { argc, .. } => usize::from(argc),
        };
        let (keys, operands) = registers[first..first + keys + operands].split_at_mut(keys);
        let result = steps(image, place, keys, |steps| act(image, place, steps, &mut root, operands));
        operands.iter_mut().for_each(Value::release);
        match place.root {
            Root::Local(reg) => registers[usize::from(reg)].assign(root),
            Root::State => self.states[state].assign(root),
        }
        if let Some(value) = result? {
            registers[first].assign(value);
        }
        Ok(())
    }
}

/// Hands the way into a variable to `act`.
fn steps<R>(image: &Image, place: &Place, keys: &[Value], act: impl FnOnce(&[ops::PlaceStep<'_>]) -> R) -> R {
    let mut keys = keys.iter();
    let steps = place.steps.iter().map(|step| match step {
        PlaceStep::Field { name, lenient } => {
            ops::PlaceStep::Field { name: &image.names[usize::from(*name)], lenient: *lenient }
        }
        PlaceStep::Index => ops::PlaceStep::Index(keys.next().unwrap_or(&Value::Null)),
    });
    if place.steps.len() > FEW {
        return act(&steps.collect::<Vec<_>>());
    }
    let mut few = [ops::PlaceStep::Index(&Value::Null); FEW];
    few.iter_mut().zip(steps).for_each(|(slot, step)| *slot = step);
    act(&few[..place.steps.len()])
}

fn act(
    image: &Image,
    place: &Place,
    steps: &[ops::PlaceStep<'_>],
    root: &mut Value,
    operands: &mut [Value],
) -> Result<Option<Value>, Fault> {
    if matches!(place.root, Root::State) && !operands.iter().all(Value::is_data) {
        let message = "`ctx.state` holds data only: no functions, agents, types or secrets";
        return Err(Fault::new(Kind::Type, message));
    }
    match (place.action, operands) {
        (PlaceAction::Get, _) => ops::place_get(root, steps).map(Some),
        (PlaceAction::Set, [new, ..]) => ops::place_set(root, steps, new.take()).map(|()| None),
        (PlaceAction::Update(operator), [operand, ..]) => {
            ops::place_update(root, steps, operator, operand).map(|()| None)
        }
        (PlaceAction::Set | PlaceAction::Update(_), []) => Ok(None),
        (PlaceAction::Method { native, .. }, operands) => {
            let context = NativeContext { program: &image.program };
            let method = image.natives[usize::from(native)];
            let mut few: [Value; FEW] = Default::default();
            let mut many = Vec::new();
            let args = match few.get_mut(..=operands.len()) {
                Some(args) => args,
                None => {
                    many.resize(operands.len() + 1, Value::Null);
                    many.as_mut_slice()
                }
            };
            args.iter_mut().skip(1).zip(operands).for_each(|(arg, operand)| *arg = operand.take());
            ops::place_method(root, steps, args, |args| method(&context, args)).map(Some)
        }
    }
}
