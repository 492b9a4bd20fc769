//! Paths: to a property of the row, or of another entity.

use super::{Binder, Typed};
use crate::edm::{EntitySet, Role, Type};
use crate::error::{Code, Error};
use crate::plan::expression::{Entity, Expression, Kept, Ty};
use crate::plan::resource::{self, Resource};
use crate::uri::path;

impl Binder<'_> {
    /// A property of the row, declared or computed, in any letter case.
    pub(in crate::plan::expression) fn path(&mut self, names: &[String]) -> Result<Typed, Error> {
        let names = self.of_the_row(names);
        let [name] = names else { return Err(self.longer_path(names)) };
        let computed = self.computed.iter().find(|one| one.name.eq_ignore_ascii_case(name));
        let setting = self.setting;
        let computed = computed.or_else(|| setting.added(name));
        if let Some(computed) = computed {
            self.count(computed.nodes)?;
            self.count_items(computed.items)?;
            return Ok(Typed::new(computed.ty, computed.expression.clone()));
        }
        match self.setting.find(name) {
            Some(at) => self.property(self.setting.set, at),
            None => Err(self.no_property(name)),
        }
    }

    /// A path without what says that it begins at the row: `$it`, or a cast to
    /// the type that all rows have.
    pub(in crate::plan::expression) fn of_the_row<'n>(&self, names: &'n [String]) -> &'n [String] {
        below(below(names, "$it"), &self.setting.set.entity_type.name)
    }

    /// The property at this position, of a row of a set.
    fn property(&self, set: &EntitySet, at: usize) -> Result<Typed, Error> {
        let property = &set.entity_type.properties[at];
        let Some(ty) = Ty::of(&property.ty) else {
            return Err(self.wrong(&format!(
                "The property '{}' is of type {}: expected one of a primitive type, or a function \
                 that takes what it is.",
                property.name, property.ty
            )));
        };
        let expression = match property.role {
            Role::Key => Expression::Shown(at, Kept::Guid),
            Role::Period => Expression::Shown(at, Kept::Period),
            _ => Expression::Stored(at),
        };
        Ok(Typed::new(ty, expression))
    }

    pub(in crate::plan::expression) fn longer_path(&self, names: &[String]) -> Error {
        let entity_type = &self.setting.set.entity_type;
        let first = names.first().map_or("", String::as_str);
        match entity_type.find(first).map(|at| &entity_type.properties[at]) {
            None => self.no_property(first),
            Some(property) => match property.ty {
                Type::Complex(_) | Type::Collection(_) => self.wrong(&format!(
                    "The path '{}' leads into a property of type {}: expected a property of a \
                     primitive type.",
                    names.join("/"),
                    property.ty
                )),
                _ => self.wrong(&format!(
                    "The property '{}' is of type {}, which has no properties.",
                    property.name, property.ty
                )),
            },
        }
    }

    /// A path from the service root. It ends at a property of one entity, which
    /// may have any form of address that a request may have.
    pub(super) fn root(&self, path: &str) -> Result<Typed, Error> {
        let setting = self.setting;
        let nowhere = || {
            Error::bad_request(format!(
                "The path '$root/{path}' leads to no property of one entity: expected one as in \
                 $root/{}/{}('…')/{}.",
                setting.set.under,
                setting.set.name,
                setting.set.entity_type.key().name
            ))
        };
        let segments = path::read(path)?;
        // Of these some take their words from the request's own options.
        if segments.first().is_some_and(|first| first.name.starts_with('$')) {
            return Err(nowhere());
        }
        let resource = resource::resolve(setting.model, "", &segments, setting.options);
        let (place, selector, at) = match resource {
            Ok(Resource::Property(place, selector, at)) => (place, selector, at),
            // What is no key here is no address of what might be there.
            Err(error) if error.code == Code::NotFound => {
                return Err(Error::bad_request(error.message));
            }
            Err(error) => return Err(error),
            Ok(_) => return Err(nowhere()),
        };
        let Typed { expression, ty, .. } = self.property(&place.set, at)?;
        let entity = Box::new(Entity { set: place.set, selector });
        let ty = ty.unwrap_or(Ty::String);
        Ok(Typed::new(ty, Expression::Of(entity, Box::new(expression))))
    }
}

/// A path without this name before it, in any letter case.
fn below<'a>(names: &'a [String], first: &str) -> &'a [String] {
    match names {
        [name, rest @ ..] if name.eq_ignore_ascii_case(first) && !rest.is_empty() => rest,
        names => names,
    }
}
