//! A program as the machine holds it: shared by all runs, with its natives found and its constants made.

use std::{collections::HashMap, sync::Arc};

use wf_lang::{
    Source, Span,
    program::{Constant, Function, FunctionId, Program},
};

use crate::{
    native::{NativeFn, native},
    value::{self, Shape, Str, Value},
};

/// A program, ready to be run by many machines.
pub struct Image {
    /// The program.
    pub program: Program,
    /// Its sources, for places in messages; the index is that of a [`wf_lang::SourceId`].
    pub sources: Vec<Source>,
    pub(crate) natives: Vec<NativeFn>,
    pub(crate) constants: Vec<Value>,
    pub(crate) names: Vec<Str>,
    /// What calls of the functions are called in paths.
    pub(crate) elements: Vec<Str>,
    pub(crate) shapes: Vec<value::Arc<Shape>>,
}

impl Image {
    /// Prepares a verified program.
    ///
    /// # Errors
    /// The name of a native that this engine does not have.
    pub fn new(program: Program, sources: Vec<Source>) -> Result<Arc<Self>, String> {
        let natives = program
            .natives
            .iter()
            .map(|name| native(name).ok_or_else(|| format!("this engine has no library function `{name}`")))
            .collect::<Result<_, _>>()?;
        let constants = program.constants.iter().enumerate().map(|(number, constant)| match constant {
            Constant::Int(value) => Value::Int(*value),
            Constant::Float(value) => Value::Float(*value),
            Constant::Duration(value) => Value::Duration(*value),
            Constant::String(text) => Value::Str(Str::constant(text, number as u32)),
        });
        let constants = constants.collect();
        let text = |text: &smol_str::SmolStr| Str::from(text.as_str());
        let names: Vec<Str> = program.names.iter().map(text).collect();
        // A field that the program names is found without comparing texts in a record that it makes.
        let named: HashMap<&str, &Str> = names.iter().map(|name| (name.as_str(), name)).collect();
        let key = |key: &smol_str::SmolStr| named.get(key.as_str()).map_or_else(|| text(key), |name| (*name).clone());
        let shapes = program.shapes.iter().map(|keys| Shape::of(keys.iter().map(key).collect())).collect();
        let elements = program.functions.iter().map(|function| text(&function.element)).collect();
        Ok(Arc::new(Self { program, sources, natives, constants, names, elements, shapes }))
    }

    /// A function; ids are checked when programs and checkpoints are loaded.
    pub(crate) fn function(&self, id: u32) -> &Function {
        &self.program.functions[id as usize]
    }

    /// The function of an id that may be anything.
    pub(crate) fn find(&self, id: FunctionId) -> Option<&Function> {
        self.program.functions.get(id.0 as usize)
    }

    /// A place as people read it: `main.wf:12:5`.
    pub fn place(&self, span: Span) -> String {
        match self.sources.get(usize::from(span.source.0)) {
            Some(source) => {
                let at = source.line_column(span.start);
                format!("{}:{}:{}", source.name, at.line, at.column)
            }
            None => String::new(),
        }
    }
}
