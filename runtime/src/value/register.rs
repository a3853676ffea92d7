//! How registers are written: the hot path of the machine.
//!
//! A value that is put together in memory is slow to be moved as a whole, so scalars are written part by part into what
//! stands there.

use super::Value;

impl Value {
    /// `*self = value`, quick when what was there is plain.
    #[inline(always)]
    pub(crate) fn assign(&mut self, value: Value) {
        self.release();
        // What is there now holds nothing.
        std::mem::forget(std::mem::replace(self, value));
    }

    /// `*self = Value::Int(number)`. Where there is an int already, as there nearly always is, only its number is written:
    /// a value that is put together in memory is slow to be moved as a whole.
    #[inline(always)]
    pub(crate) fn set_int(&mut self, number: i64) {
        match self {
            Value::Int(old) => *old = number,
            other => other.become_int(number),
        }
    }

    /// `*self = Value::Float(number)`, in the same way.
    #[inline(always)]
    pub(crate) fn set_float(&mut self, number: f64) {
        match self {
            Value::Float(old) => *old = number,
            other => other.become_float(number),
        }
    }

    /// `*self = Value::Bool(value)`, in the same way.
    #[inline(always)]
    pub(crate) fn set_bool(&mut self, value: bool) {
        match self {
            Value::Bool(old) => *old = value,
            other => other.become_bool(value),
        }
    }

    /// `*self = Value::Null`, in the same way.
    #[inline(always)]
    pub(crate) fn set_null(&mut self) {
        if !matches!(self, Value::Null) {
            self.become_null();
        }
    }

    #[inline(never)]
    fn become_int(&mut self, number: i64) {
        *self = Value::Int(number);
    }

    #[inline(never)]
    fn become_float(&mut self, number: f64) {
        *self = Value::Float(number);
    }

    #[inline(never)]
    fn become_bool(&mut self, value: bool) {
        *self = Value::Bool(value);
    }

    #[inline(never)]
    fn become_null(&mut self) {
        *self = Value::Null;
    }

    /// `*self = value.clone()`.
    #[inline(always)]
    pub(crate) fn copy_from(&mut self, value: &Value) {
        match value {
            Value::Int(number) => self.set_int(*number),
            Value::Float(number) => self.set_float(*number),
            Value::Bool(value) => self.set_bool(*value),
            Value::Null => self.set_null(),
            other => self.copy_from_any(other),
        }
    }

    #[inline(never)]
    fn copy_from_any(&mut self, value: &Value) {
        *self = value.clone();
    }

    /// `*self = value`, which need not be there afterwards.
    #[inline(always)]
    pub(crate) fn move_from(&mut self, value: &mut Value) {
        match value {
            Value::Int(number) => self.set_int(*number),
            Value::Float(number) => self.set_float(*number),
            Value::Bool(value) => self.set_bool(*value),
            Value::Null => self.set_null(),
            other => self.assign(std::mem::take(other)),
        }
    }

    /// Lets go of what is shared.
    #[inline(always)]
    pub(crate) fn release(&mut self) {
        if !self.is_plain() {
            self.release_shared();
        }
    }

    #[inline(never)]
    fn release_shared(&mut self) {
        *self = Value::Null;
    }
}
