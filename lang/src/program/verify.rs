//! Whether a program is well formed: every index that the machine follows without looking lies in its table.

use super::{
    Function, FunctionId, GatherBranches, OnCrash, Op, PlaceAction, PlaceStep, Program, Root, TypeId, TypeKind,
    WatchedKind, uses_of,
};

type Result = std::result::Result<(), String>;

/// Checks a program that comes from outside, before a machine runs it.
///
/// # Errors
/// The first function with something that leads out of its table.
pub fn verify(program: &Program) -> Result {
    tables(program)?;
    for (index, function) in program.functions.iter().enumerate() {
        self::function(program, function)
            .map_err(|reason| format!("function {index} `{}`: {reason}", function.path))?;
    }
    Ok(())
}

fn within(what: &str, index: usize, len: usize) -> Result {
    if index < len { Ok(()) } else { Err(format!("{what} {index} of {len}")) }
}

fn tables(program: &Program) -> Result {
    let function = |id: FunctionId| within("function", id.0 as usize, program.functions.len());
    let ty = |id: TypeId| within("type", id.0 as usize, program.types.defs.len());
    for workflow in &program.workflows {
        function(workflow.function)?;
        function(workflow.start)?;
    }
    for agent in &program.agents {
        function(agent.settings)?;
        ty(agent.output)?;
    }
    for watched in &program.watched {
        ty(watched.result)?;
        if let WatchedKind::Agent(agent) = watched.kind {
            within("agent", agent as usize, program.agents.len())?;
        }
    }
    program.methods.iter().try_for_each(|method| function(method.function))?;
    program.ask.iter().try_for_each(|id| function(*id))?;
    program.modules.iter().filter_map(|module| module.state).try_for_each(ty)?;
    for def in &program.types.defs {
        match &def.kind {
            TypeKind::List(of) | TypeKind::Map(of) | TypeKind::Agent(of) | TypeKind::TypeOf(of) => ty(*of)?,
            TypeKind::Record(fields) => fields.iter().try_for_each(|field| ty(field.ty))?,
            TypeKind::Union(members) => members.iter().try_for_each(|member| ty(*member))?,
            TypeKind::Function { params, result } => params.iter().chain([result]).try_for_each(|id| ty(*id))?,
            _ => {}
        }
    }
    unions(program)?;
    for place in &program.places {
        for step in &place.steps {
            if let PlaceStep::Field { name, .. } = step {
                within("name", usize::from(*name), program.names.len())?;
            }
        }
        if let PlaceAction::Method { native, .. } = place.action {
            within("native", usize::from(native), program.natives.len())?;
        }
    }
    Ok(())
}

/// Whoever asks which member of a union a value fits comes to an end: no union is its own member, even by others.
fn unions(program: &Program) -> Result {
    let members = |id: usize| match &program.types.defs[id].kind {
        TypeKind::Union(members) => members.as_slice(),
        _ => &[],
    };
    let mut known = vec![false; program.types.defs.len()];
    for first in 0..known.len() {
        // The unions that are being looked into, each with its next member.
        let mut open = vec![(first, 0)];
        while let Some((id, next)) = open.last_mut() {
            match members(*id).get(*next).filter(|_| !known[*id]) {
                Some(TypeId(member)) => {
                    *next += 1;
                    let member = *member as usize;
                    if open.iter().any(|(id, _)| *id == member) {
                        return Err(format!("union {member} is a member of itself"));
                    }
                    open.push((member, 0));
                }
                None => {
                    known[*id] = true;
                    open.pop();
                }
            }
        }
    }
    Ok(())
}

fn function(program: &Program, function: &Function) -> Result {
    let registers = usize::from(function.registers);
    let pc = |pc: u32| within("op", pc as usize, function.code.len());
    within("module", usize::from(function.module), program.modules.len())?;
    function.params.iter().try_for_each(|param| within("type", param.ty.0 as usize, program.types.defs.len()))?;
    within("type", function.result.0 as usize, program.types.defs.len())?;
    if let Some(OnCrash::Ask(answer)) = function.on_crash {
        within("type", answer.0 as usize, program.types.defs.len())?;
    }
    let handed = function.params.len() + usize::from(function.captures);
    within("argument", handed, registers + 1)?;
    if function.code.last().is_none_or(|op| op.falls_through()) {
        return Err("its code does not end".into());
    }
    for (at, op) in function.code.iter().enumerate() {
        let uses = uses_of(*op, program);
        for (first, count) in uses.reads.into_iter().chain([uses.writes]) {
            within("register", usize::from(first) + usize::from(count), registers + 1)?;
        }
        if let Some(to) = op.target() {
            pc(to)?;
            // Every round of a loop costs fuel, so whatever a program does, others have their turn.
            if to as usize <= at && !op.ends_round() {
                return Err(format!("op {at} goes back to op {to}, and ends no round of a loop"));
            }
        }
        entries(program, *op, registers)?;
    }
    for handler in &function.handlers {
        pc(handler.target)?;
        within("op", handler.start.max(handler.end) as usize, function.code.len() + 1)?;
        within("op", handler.end as usize, handler.target as usize + 1)?;
        within("register", usize::from(handler.error), registers)?;
    }
    for shields in function.shields.windows(2) {
        if shields[0].1 > shields[1].0 {
            return Err("its `finally` blocks are not in order".into());
        }
    }
    for (start, end) in &function.shields {
        within("op", *end as usize, function.code.len() + 1)?;
        within("op", *start as usize, *end as usize + 1)?;
    }
    if function.safe_points.first().is_none_or(|entry| entry.pc != 0) {
        return Err("it has no entry".into());
    }
    for (number, point) in function.safe_points.iter().enumerate() {
        pc(point.pc)?;
        if number > 0 && !function.code[point.pc as usize].is_safe_point() {
            return Err(format!("op {} is no safe point", point.pc));
        }
        if number > 1 && function.safe_points[number - 1].pc >= point.pc {
            return Err("its safe points are not in order".into());
        }
        point.live.iter().try_for_each(|reg| within("register", usize::from(*reg), registers))?;
    }
    // A frame that stands at an op must find its safe point.
    let points = function.code.iter().filter(|op| op.is_safe_point()).count();
    if points + 1 == function.safe_points.len() { Ok(()) } else { Err("a safe point is missing".into()) }
}

/// The tables that an op names.
fn entries(program: &Program, op: Op, registers: usize) -> Result {
    let function = |id: u32| within("function", id as usize, program.functions.len());
    let name = |name: u16| within("name", usize::from(name), program.names.len());
    let ty = |ty: u32| within("type", ty as usize, program.types.defs.len());
    match op {
        Op::Const { constant, .. } => within("constant", constant as usize, program.constants.len()),
        Op::Global { global, .. } | Op::SetGlobal { global, .. } => {
            within("global", global as usize, program.globals as usize)
        }
        Op::Closure { function: id, .. } | Op::Call { function: id, .. } => function(id),
        Op::Type { ty: id, .. }
        | Op::Check { ty: id, .. }
        | Op::Convert { ty: id, .. }
        | Op::Fits { ty: id, .. }
        | Op::Schema { ty: id, .. } => ty(id),
        Op::Agent { agent, .. } => within("agent", agent as usize, program.agents.len()),
        Op::Record { shape, .. } => within("shape", usize::from(shape), program.shapes.len()),
        Op::Field { name: id, .. }
        | Op::FieldOrNull { name: id, .. }
        | Op::SetField { name: id, .. }
        | Op::Part { name: id, .. }
        | Op::PartOrNull { name: id, .. }
        | Op::CallMethod { name: id, .. } => name(id),
        Op::JumpEqConst { constant, .. } | Op::JumpNeConst { constant, .. } => {
            within("constant", usize::from(constant), program.constants.len())
        }
        Op::Return { shared, .. } => within("register", usize::from(shared), registers + 1),
        Op::Native { native, .. } => within("native", usize::from(native), program.natives.len()),
        Op::Effect { effect, .. } => within("effect", usize::from(effect), program.effects.len()),
        Op::Tell { tell, .. } => within("tell", usize::from(tell), program.tells.len()),
        Op::Place { place, .. } => {
            within("place", usize::from(place), program.places.len())?;
            match program.places[usize::from(place)].root {
                Root::Local(reg) => within("register", usize::from(reg), registers),
                Root::State => Ok(()),
            }
        }
        Op::Gather { gather, .. } => {
            within("gather", usize::from(gather), program.gathers.len())?;
            match &program.gathers[usize::from(gather)].branches {
                GatherBranches::Named(keys) => within("branch", keys.len(), registers + 1),
                GatherBranches::List(count) => within("branch", usize::from(*count), registers + 1),
                GatherBranches::For => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
