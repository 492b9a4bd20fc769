//! Names to properties, literals to types, operators and functions to those
//! that fit their operands.

mod call;
mod path;

use jiff::Timestamp;

use super::{Expression, Function, Ty, literal, operators};
use crate::edm::{EntitySet, Model};
use crate::error::{Code, Error};
use crate::plan::apply::Scope;
use crate::plan::query::Computed;
use crate::uri::filter::{Binary, Kind, Literal, Node};
use crate::uri::options::Options;
use crate::uri::{self, Limits};
use crate::value::Value;

/// An expression, its type, and what of its literal is still of use.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pub expression: Expression,
    /// Its type; `None` of a null that could be of any.
    pub ty: Option<Ty>,
    /// Whether it was written as a literal, which may be cast.
    pub literal: bool,
    /// The integer that it is, where it is written as another number.
    pub integer: Option<i64>,
    /// The offset from UTC in minutes with which an instant was written.
    pub offset: i64,
}

impl Typed {
    pub fn new(ty: Ty, expression: Expression) -> Self {
        Self { expression, ty: Some(ty), literal: false, integer: None, offset: 0 }
    }

    pub fn value(ty: Ty, value: Value) -> Self {
        Self { literal: true, ..Self::new(ty, Expression::Value(value)) }
    }

    pub fn null() -> Self {
        Self { ty: None, ..Self::value(Ty::String, Value::Null) }
    }

    pub fn call(ty: Ty, function: Function, arguments: Vec<Self>) -> Self {
        let arguments = arguments.into_iter().map(|one| one.expression).collect();
        Self::new(ty, Expression::Call(function, arguments))
    }

    /// The name of its type, for people.
    pub fn type_name(&self) -> &'static str {
        self.ty.map_or("<null>", Ty::name)
    }
}

/// What expressions are bound in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub model: &'a Model,
    pub set: &'a EntitySet,
    pub options: &'a Options,
    pub limits: Limits,
    pub now: Timestamp,
    /// What there is after `$apply`; without one, the properties of the set.
    pub scope: Option<&'a Scope>,
}

impl<'a> Setting<'a> {
    /// The position of the property of this name, if it is there.
    pub fn find(self, name: &str) -> Option<usize> {
        let at = self.set.entity_type.find(name)?;
        self.scope.is_none_or(|scope| scope.present[at]).then_some(at)
    }

    /// The number of the column of this name that `$apply` has added.
    pub fn column(self, name: &str) -> Option<usize> {
        match self.added(name)?.expression {
            Expression::Stored(at) => Some(at),
            _ => None,
        }
    }

    /// The column of this name that `$apply` has added.
    pub fn added(self, name: &str) -> Option<&'a Computed> {
        let added = self.scope.map(|scope| scope.added.as_slice()).unwrap_or_default();
        added.iter().find(|one| one.name.eq_ignore_ascii_case(name))
    }
}

/// Binds the expressions of one query option.
pub(crate) struct Binder<'a> {
    pub setting: Setting<'a>,
    /// What `$compute` has made.
    computed: &'a [Computed],
    option: &'a str,
    /// How many more nodes there may be, with those of aliases and computed properties.
    left: usize,
    /// How many more items lists may have in all.
    items_left: usize,
    /// Whether the value of an alias is being bound, in which there are no aliases.
    in_alias: bool,
}

impl<'a> Binder<'a> {
    pub fn new(setting: Setting<'a>, computed: &'a [Computed], option: &'a str) -> Self {
        let Limits { nodes, list, .. } = setting.limits;
        Self { setting, computed, option, left: nodes, items_left: list, in_alias: false }
    }

    /// One that goes on where so much has been bound already, as `bound` tells.
    pub fn after(
        setting: Setting<'a>,
        computed: &'a [Computed],
        option: &'a str,
        (nodes, items): (usize, usize),
    ) -> Self {
        let binder = Self::new(setting, computed, option);
        Self { left: binder.left - nodes, items_left: binder.items_left - items, ..binder }
    }

    /// An expression of any type.
    pub fn bind(&mut self, node: &Node) -> Result<Typed, Error> {
        self.count(1)?;
        match &node.kind {
            Kind::Literal(one) => self.literal(one),
            Kind::Path(names) => self.path(names),
            Kind::Root(path) => self.root(path).map_err(|error| error.about(self.option)),
            Kind::Alias(name) => self.alias(name),
            Kind::Unary(operator, operand) => {
                let operand = self.bind(operand)?;
                operators::unary(*operator, operand).map_err(|error| error.about(self.option))
            }
            Kind::Binary(Binary::Has, ..) => Err(self.not_served("The operator 'has'")),
            Kind::Binary(operator, left, right) => {
                let (left, right) = (self.bind(left)?, self.bind(right)?);
                operators::binary(*operator, left, right).map_err(|error| error.about(self.option))
            }
            Kind::And(all) => Ok(Typed::new(Ty::Boolean, Expression::And(self.chain(all, "And")?))),
            Kind::Or(all) => Ok(Typed::new(Ty::Boolean, Expression::Or(self.chain(all, "Or")?))),
            Kind::In(value, list) => self.is_in(value, list),
            Kind::Call(name, arguments) => self.call(name, arguments),
            Kind::Case(branches) => self.case(branches),
            Kind::List(_) | Kind::Array(_) => {
                Err(self.wrong("A list stands where a single value is expected."))
            }
            Kind::Lambda(path, name, _) => Err(self.lambda(path, name)),
        }
    }

    /// An expression that is true, false or null.
    pub fn condition(&mut self, node: &Node) -> Result<Expression, Error> {
        let bound = self.bind(node)?;
        let bound = literal::cast(&bound, Ty::Boolean).unwrap_or(bound);
        match bound.ty {
            Some(Ty::Boolean) | None => Ok(bound.expression),
            Some(_) => {
                let option = self.option;
                let message =
                    format!("The {option} expression must evaluate to a single boolean value.");
                Err(self.wrong(&message))
            }
        }
    }

    pub fn wrong(&self, message: &str) -> Error {
        Error::bad_request(message).about(self.option)
    }

    fn not_served(&self, what: &str) -> Error {
        Error::new(Code::NotImplemented, format!("{what} is not served here.")).about(self.option)
    }

    pub(super) fn count(&mut self, nodes: usize) -> Result<(), Error> {
        let most = self.setting.limits.nodes;
        self.left = self.left.checked_sub(nodes).ok_or_else(|| {
            let what = format!(
                "more than {most} operators, functions and operands, those of aliases and \
                 computed properties included"
            );
            uri::too_complex(self.option, &what, "query-nodes")
        })?;
        Ok(())
    }

    fn count_items(&mut self, items: usize) -> Result<(), Error> {
        let most = self.setting.limits.list;
        self.items_left = self.items_left.checked_sub(items).ok_or_else(|| {
            uri::too_complex(self.option, &format!("more than {most} items in lists"), "query-list")
        })?;
        Ok(())
    }

    fn literal(&self, literal: &Literal) -> Result<Typed, Error> {
        let typed = literal::typed(literal).map_err(|error| error.about(self.option))?;
        Ok(Typed { integer: literal::as_integer(literal), ..typed })
    }

    pub fn no_property(&self, name: &str) -> Error {
        no_property(self.setting.set, name).about(self.option)
    }

    /// What an alias stands for; without a value it is null.
    fn alias(&mut self, name: &str) -> Result<Typed, Error> {
        match self.alias_value(name)? {
            None => Ok(Typed::null()),
            Some(node) => self.inside_alias(|binder| binder.bind(&node)),
        }
    }

    pub(super) fn alias_value(&self, name: &str) -> Result<Option<Node>, Error> {
        let shown = format!("@{name}");
        if self.in_alias {
            let message = format!("The value of a parameter alias cannot be the alias '{shown}'.");
            return Err(Error::bad_request(message).about(shown));
        }
        let value = self.setting.options.alias(name);
        value.map(|text| uri::clauses::alias(&shown, text, self.setting.limits)).transpose()
    }

    pub(super) fn inside_alias<T>(
        &mut self,
        bind: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.in_alias = true;
        let bound = bind(self);
        self.in_alias = false;
        bound
    }

    fn chain(&mut self, all: &[Node], operator: &str) -> Result<Vec<Expression>, Error> {
        let mut bound = Vec::with_capacity(all.len());
        let mut types = Vec::new();
        for node in all {
            let one = self.bind(node)?;
            let one = literal::cast(&one, Ty::Boolean).unwrap_or(one);
            types.push(one.type_name());
            if one.ty.is_some_and(|ty| ty != Ty::Boolean) {
                let left = types.get(types.len().wrapping_sub(2)).unwrap_or(&"Edm.Boolean");
                let message = operators::incompatible(left, one.type_name(), operator);
                return Err(self.wrong(&message));
            }
            bound.push(one.expression);
        }
        Ok(bound)
    }

    /// `in` is as many equalities as the list has items.
    fn is_in(&mut self, value: &Node, list: &Node) -> Result<Typed, Error> {
        let value = self.bind(value)?;
        let items = match &list.kind {
            Kind::List(items) => self.items(items)?,
            Kind::Alias(name) => self.items_of_alias(name)?,
            _ => {
                let message = "A path stands after 'in': expected a list in parentheses, a JSON \
                               array, or a parameter alias for one.";
                return Err(self.wrong(message));
            }
        };
        if !operators::is_plain(&value, &items) {
            // Each item is a comparison of its own then.
            self.count(items.len())?;
        }
        operators::is_in(value, items).map_err(|error| error.about(self.option))
    }

    fn items_of_alias(&mut self, name: &str) -> Result<Vec<Typed>, Error> {
        if let Some(Kind::List(items)) = self.alias_value(name)?.map(|node| node.kind) {
            return self.inside_alias(|binder| binder.items(&items));
        }
        let message = format!("The parameter alias '@{name}' has no list as its value.");
        Err(Error::bad_request(message).about(format!("@{name}")))
    }

    /// Items that are literals count by the limit on lists alone.
    pub(super) fn items(&mut self, items: &[Node]) -> Result<Vec<Typed>, Error> {
        self.count_items(items.len())?;
        let one = |node: &Node| match &node.kind {
            Kind::Literal(literal) => self.literal(literal),
            _ => self.bind(node),
        };
        items.iter().map(one).collect()
    }

    /// How many nodes have been bound, and how many items of lists.
    pub fn bound(&self) -> (usize, usize) {
        let Limits { nodes, list, .. } = self.setting.limits;
        (nodes - self.left, list - self.items_left)
    }
}

/// There is no such property, in the words of OData's library.
pub(crate) fn no_property(set: &EntitySet, name: &str) -> Error {
    let message =
        format!("Could not find a property named '{name}' on type '{}'.", set.entity_type.name);
    Error::bad_request(message)
}
