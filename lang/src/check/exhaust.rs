//! What the arms of a `match` leave over.
//!
//! Each member of the subject's type is kept apart, with the pieces of it that no arm without a guard has taken. A record
//! that a pattern takes only in part is left over field by field, so nested patterns count.

use std::sync::Arc;

use super::{
    checker::Checker,
    narrow::unequal_part,
    relate::Fit,
    show::show_literal,
    ty::{Literal, RecordType, Type},
    union::{of_members, union},
};
use crate::syntax::ast::{ExprKind, Name, Pattern, PatternKind};

/// With more pieces than this nothing is said of what is missing.
const MOST: usize = 256;

/// At most this many missing cases are listed.
const LISTED: usize = 6;

/// A part of a type that is left over.
#[derive(Clone, Debug)]
struct Piece {
    ty: Type,
    /// Something was taken of a type that has no end of values, so more may have been taken than can be told.
    open: bool,
}

/// A member of the subject's type.
#[derive(Debug)]
struct Member {
    ty: Type,
    pieces: Vec<Piece>,
    /// Some arm speaks of it.
    touched: bool,
    lengths: Lengths,
}

/// The lengths of lists that are taken.
#[derive(Debug, Default)]
struct Lengths {
    exactly: Vec<usize>,
    at_least: Option<usize>,
}

impl Lengths {
    fn all(&self) -> bool {
        self.at_least.is_some_and(|least| (0..least).all(|length| self.exactly.contains(&length)))
    }
}

/// What is left of a subject.
#[derive(Debug)]
pub(super) struct Left {
    whole: Type,
    members: Vec<Member>,
    /// Literals of types without end that are taken.
    literals: Vec<Type>,
    lost: bool,
}

impl Left {
    fn is_untouched(&self) -> bool {
        self.lost
            || self.members.iter().all(|member| matches!(member.pieces.as_slice(), [piece] if piece.ty == member.ty))
    }

    /// The type of what is left, in all its pieces: what a pattern takes out of it.
    pub(super) fn pieces(&self) -> Type {
        if self.is_untouched() {
            return self.whole.clone();
        }
        of_members(self.members.iter().flat_map(|member| &member.pieces).map(|piece| piece.ty.clone()).collect())
    }
}

impl Checker<'_> {
    /// Nothing is taken yet.
    pub(super) fn all_left(&self, ty: &Type) -> Left {
        let member = |ty: &Type| Member {
            ty: ty.clone(),
            pieces: vec![Piece { ty: ty.clone(), open: false }],
            touched: false,
            lengths: Lengths::default(),
        };
        let members = self.members(ty).iter().map(member).collect();
        Left { whole: ty.clone(), members, literals: Vec::new(), lost: false }
    }

    /// Takes what a pattern matches.
    pub(super) fn take(&mut self, left: &mut Left, pattern: &Pattern) {
        for member in &mut left.members {
            self.take_lengths(&mut member.lengths, &member.ty, pattern);
            if member.lengths.all() {
                member.pieces.clear();
            }
            let mut rest = Vec::new();
            for piece in &member.pieces {
                self.subtract(piece, pattern, &mut rest);
            }
            left.lost |= rest.len() > MOST;
            rest.truncate(MOST);
            member.touched |= self.admitted(&member.ty, pattern) != Type::Never;
            member.pieces = rest;
        }
        self.literals_of(pattern, &mut left.literals);
    }

    fn literals_of(&self, pattern: &Pattern, out: &mut Vec<Type>) {
        match &pattern.kind {
            PatternKind::Or(all) => all.iter().for_each(|one| self.literals_of(one, out)),
            PatternKind::Literal(_) if out.len() < MOST => out.extend(unit_of(pattern)),
            _ => {}
        }
    }

    /// The type of what is left, records as they are declared.
    pub(super) fn left_type(&self, left: &Left) -> Type {
        if left.is_untouched() {
            return left.whole.clone();
        }
        let parts = left.members.iter().filter(|member| !member.pieces.is_empty()).map(|member| match &member.ty {
            Type::Record(_) => member.ty.clone(),
            _ => union(member.pieces.iter().map(|piece| piece.ty.clone())),
        });
        of_members(parts.collect())
    }

    /// Whether the arms before have taken all that a pattern matches.
    pub(super) fn is_taken(&self, left: &Left, pattern: &Pattern) -> bool {
        if is_catch_all(pattern) {
            return false;
        }
        let repeated = match &pattern.kind {
            PatternKind::Or(all) => {
                all.iter().all(|one| unit_of(one).is_some_and(|unit| left.literals.contains(&unit)))
            }
            _ => unit_of(pattern).is_some_and(|unit| left.literals.contains(&unit)),
        };
        if repeated {
            return true;
        }
        let matches = |ty: &Type| self.admitted(ty, pattern) != Type::Never;
        let pieces = || left.members.iter().flat_map(|member| &member.pieces);
        !left.lost && matches(&left.whole) && !pieces().any(|piece| matches(&piece.ty))
    }

    /// What of a closed type is left, as patterns.
    pub(super) fn missing(&self, left: &Left) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        if left.lost {
            return found;
        }
        let several = left.members.len() > 1;
        for member in &left.members {
            for piece in member.pieces.iter().filter(|piece| !piece.open) {
                let shown = match &piece.ty {
                    Type::Bool => vec!["true".to_owned(), "false".to_owned()],
                    Type::Null => vec!["null".to_owned()],
                    Type::Literal(literal) | Type::Exact(literal) => vec![show_literal(literal)],
                    Type::Record(record) if several || member.touched => {
                        vec![self.record_pattern(record, member)]
                    }
                    Type::Any | Type::Payload | Type::Unknown | Type::Never | Type::Var(_) => continue,
                    ty if several && !member.touched => vec![format!("_: {}", self.show(ty))],
                    _ => continue,
                };
                for shown in shown {
                    if !found.contains(&shown) {
                        found.push(shown);
                    }
                }
            }
        }
        if found.len() > LISTED {
            let more = found.len() - LISTED;
            found.truncate(LISTED);
            found.push(format!("… and {more} more"));
        }
        found
    }

    /// A record that is left, by the fields that tell it from others.
    fn record_pattern(&self, record: &RecordType, member: &Member) -> String {
        let before = match &member.ty {
            Type::Record(record) => Some(record.clone()),
            _ => None,
        };
        let tells = |at: &usize| {
            let field = &record.fields[*at];
            let changed =
                before.as_ref().is_some_and(|before| before.fields.get(*at).is_some_and(|b| b.ty != field.ty));
            changed || matches!(self.resolve(&field.ty), Type::Literal(_) | Type::Null)
        };
        let fields: Vec<String> = (0..record.fields.len())
            .filter(tells)
            .map(|at| format!("{}: {}", record.fields[at].name, self.show(&record.fields[at].ty)))
            .collect();
        if fields.is_empty() { self.show(&member.ty) } else { format!("{{ {} }}", fields.join(", ")) }
    }

    /// What a pattern leaves of a piece.
    fn subtract(&mut self, piece: &Piece, pattern: &Pattern, out: &mut Vec<Piece>) {
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Bind(_, None) | PatternKind::Error => {}
            PatternKind::Or(all) => {
                let mut pieces = vec![piece.clone()];
                for one in all {
                    let mut rest = Vec::new();
                    pieces.iter().for_each(|piece| self.subtract(piece, one, &mut rest));
                    pieces = rest;
                }
                out.extend(pieces);
            }
            _ => {
                for member in self.members(&piece.ty) {
                    let piece = Piece { ty: member, open: piece.open };
                    self.subtract_one(piece, pattern, out);
                }
            }
        }
    }

    fn subtract_one(&mut self, piece: Piece, pattern: &Pattern, out: &mut Vec<Piece>) {
        match &pattern.kind {
            PatternKind::Bind(_, Some(written)) | PatternKind::Type(written) => {
                let want = self.written_before(written);
                match self.fits(&piece.ty, &want) {
                    Fit::Yes => {}
                    _ if self.overlap(&piece.ty, &want) => out.push(Piece { open: true, ..piece }),
                    _ => out.push(piece),
                }
            }
            PatternKind::Literal(_) => {
                let Some(unit) = unit_of(pattern) else { return out.push(piece) };
                let Some(ty) = unequal_part(&piece.ty, &unit) else { return };
                let open = piece.open || (ty == piece.ty && self.overlap(&ty, &unit));
                out.push(Piece { ty, open });
            }
            PatternKind::List { before, rest, after } => {
                let all = before.is_empty() && after.is_empty() && rest.is_some();
                match &piece.ty {
                    Type::List(_) if all => {}
                    Type::List(_) | Type::Any | Type::Payload => out.push(Piece { open: true, ..piece }),
                    _ => out.push(piece),
                }
            }
            PatternKind::Record { fields, .. } => match &piece.ty {
                Type::Record(record) => {
                    let record = record.clone();
                    self.subtract_record(&record, piece.open, fields, out);
                }
                Type::Map(_) | Type::Any | Type::Payload => out.push(Piece { open: true, ..piece }),
                _ => out.push(piece),
            },
            _ => {}
        }
    }

    fn subtract_record(
        &mut self,
        record: &Arc<RecordType>,
        open: bool,
        fields: &[(Name, Option<Pattern>)],
        out: &mut Vec<Piece>,
    ) {
        let mut taken = (**record).clone();
        for (name, pattern) in fields {
            let Some(at) = taken.fields.iter().position(|field| field.name == name.text) else {
                out.push(Piece { ty: Type::Record(Arc::new(taken)), open: open || !record.closed });
                return;
            };
            let Some(pattern) = pattern else { continue };
            let ty = taken.fields[at].read();
            let mut rest = Vec::new();
            self.subtract(&Piece { ty: ty.clone(), open: false }, pattern, &mut rest);
            for piece in rest {
                let mut other = taken.clone();
                other.fields[at].ty = piece.ty;
                other.fields[at].optional = false;
                out.push(Piece { ty: Type::Record(Arc::new(other)), open: open || piece.open });
            }
            let admitted = self.admitted(&ty, pattern);
            if admitted == Type::Never {
                return;
            }
            taken.fields[at].ty = admitted;
            taken.fields[at].optional = false;
        }
    }

    /// A list pattern whose elements match anything takes all lists of its lengths.
    fn take_lengths(&self, lengths: &mut Lengths, ty: &Type, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::Or(all) => all.iter().for_each(|one| self.take_lengths(lengths, ty, one)),
            PatternKind::List { before, rest, after } if matches!(ty, Type::List(_)) => {
                if !before.iter().chain(after).all(is_catch_all) {
                    return;
                }
                let length = before.len() + after.len();
                match rest {
                    Some(_) => lengths.at_least = Some(lengths.at_least.map_or(length, |least| least.min(length))),
                    None => lengths.exactly.push(length),
                }
            }
            _ => {}
        }
    }
}

/// The unit that a literal pattern is.
pub(super) fn unit_of(pattern: &Pattern) -> Option<Type> {
    let PatternKind::Literal(value) = &pattern.kind else { return None };
    match &value.kind {
        ExprKind::Null => Some(Type::Null),
        _ => super::annotation::literal(value).map(|literal: Literal| Type::Literal(literal)),
    }
}

/// Whether a pattern matches anything.
pub(super) fn is_catch_all(pattern: &Pattern) -> bool {
    match &pattern.kind {
        PatternKind::Wildcard | PatternKind::Bind(_, None) => true,
        PatternKind::Or(all) => all.iter().any(is_catch_all),
        _ => false,
    }
}
