//! Several tables as one.

use super::steps::{APPLY, Planner, Table, extend};
use super::{Part, Relation};
use crate::error::Error;
use crate::plan::query::Computed;

impl Planner<'_> {
    /// Tables one after another.
    pub fn concat(&mut self, parts: Vec<Table>) -> Result<Table, Error> {
        let [form, number, place] = [self.hidden(), self.hidden(), self.hidden()];
        let mut whole = Table {
            relation: Relation::Source,
            columns: vec![form, number, place],
            forms: Vec::new(),
            form: Some(form),
            order: vec![self.key_of(number), self.key_of(place)],
            key: Vec::new(),
            complete: parts.iter().any(|part| part.complete),
            size: 1,
        };
        let mut all = Vec::with_capacity(parts.len());
        for part in parts {
            let order = if part.order.is_empty() { Vec::new() } else { self.whole_order(&part) };
            let first = whole.forms.len();
            whole.size += part.size;
            extend(&mut whole.columns, &part.columns);
            extend(&mut whole.key, &part.key);
            whole.forms.extend(part.forms);
            all.push(Part {
                relation: part.relation,
                columns: part.columns,
                form: (form, first),
                old_form: part.form,
                number,
                place,
                order,
            });
        }
        self.one_type_each(&whole)?;
        whole.relation = Relation::Union(all, whole.columns.clone());
        Ok(whole)
    }

    /// A name means one thing in all parts.
    fn one_type_each(&self, table: &Table) -> Result<(), Error> {
        let scope = self.scope(table);
        for (number, one) in scope.added.iter().enumerate() {
            let same = |other: &&Computed| other.name.eq_ignore_ascii_case(&one.name);
            if let Some(other) = scope.added[..number].iter().find(same) {
                let message = format!(
                    "The property '{}' is of type {} in one part of concat, and of type {} in \
                     another. Expected another name.",
                    one.name,
                    other.ty.name(),
                    one.ty.name()
                );
                return Err(Error::bad_request(message).about(APPLY));
            }
        }
        Ok(())
    }
}
