//! `groupby`: what a sequence of transformations makes of each group.

use super::Relation;
use super::steps::{Form, Planner, Table, by_form, extend, grouped};
use crate::error::Error;
use crate::uri::apply::{Group, Transformation};

/// Groups that are being transformed.
#[derive(Debug, Clone)]
pub(super) struct Partition {
    /// What rows of one group have in common.
    pub by: Vec<usize>,
    /// What groups of each form have that can be seen.
    forms: Vec<Form>,
    /// The column of the group's form, where there are several.
    form: Option<usize>,
    /// The rows before anything was made of them: every group has one.
    pub start: Relation,
    /// How many relations these are made of.
    pub size: usize,
}

impl Partition {
    /// The groups as rows, without values.
    pub fn table(within: Option<&Self>, table: &Table) -> Table {
        // A row that was made of a group is of the group's form, and has nothing
        // of it until all that is done to the group has been done.
        let forms = within.map_or(1, |one| one.forms.len());
        let forms =
            (0..forms).map(|group| Form { columns: Vec::new(), group, keyless: false }).collect();
        let by = within.map(|one| one.by.clone()).unwrap_or_default();
        let form = within.and_then(|one| one.form);
        Table {
            relation: Relation::Source,
            columns: by.clone(),
            forms,
            form,
            order: Vec::new(),
            key: by,
            complete: true,
            size: table.size,
        }
    }
}

impl Planner<'_> {
    pub fn group_by(
        &mut self,
        table: &Table,
        groups: &[Group],
        inside: Option<&[Transformation]>,
        within: Option<&Partition>,
    ) -> Result<Table, Error> {
        let mut groupings = vec![Vec::new()];
        for group in groups {
            let longer = self.levels(table, group)?;
            let both = groupings.iter().flat_map(|one: &Vec<usize>| {
                longer.iter().map(move |more| [one.as_slice(), more].concat())
            });
            groupings = both.collect();
            if groupings.len() > self.setting.limits.transformations {
                return Err(self.too_many());
            }
        }
        let several = groupings.len() > 1;
        let mut tables = Vec::with_capacity(groupings.len());
        for by in groupings {
            self.few(by.len())?;
            tables.push(self.each_group(table.clone(), &by, inside, within)?);
        }
        match tables.pop() {
            Some(only) if !several => Ok(only),
            last => {
                tables.extend(last);
                self.concat(tables)
            }
        }
    }

    /// The groupings of one part of the list: one of a property, of a rollup as
    /// many as it has levels, the finest first.
    fn levels(&self, table: &Table, group: &Group) -> Result<Vec<Vec<usize>>, Error> {
        match group {
            Group::By(property) => Ok(vec![vec![self.grouping(table, property)?]]),
            Group::Rollup { total, levels } => {
                let columns = levels.iter().map(|one| self.grouping(table, one));
                let columns = columns.collect::<Result<Vec<usize>, Error>>()?;
                let last = usize::from(!total);
                Ok((last..=columns.len()).rev().map(|many| columns[..many].to_vec()).collect())
            }
        }
    }

    /// What the sequence makes of each group of rows with the same values.
    fn each_group(
        &mut self,
        table: Table,
        by: &[usize],
        inside: Option<&[Transformation]>,
        within: Option<&Partition>,
    ) -> Result<Table, Error> {
        let complete = table.complete;
        let (table, partition) = self.partition(table, by, within);
        let held = self.held.len();
        self.held.extend(&partition.by);
        let mut made = if let Some(sequence) = inside {
            self.sequence(table, sequence, Some(&partition))?
        } else {
            let groups = Partition::table(Some(&partition), &table);
            grouped(table, groups, Vec::new(), Some(&partition))
        };
        self.held.truncate(held);
        made.complete &= complete;
        // Its rows have what their group has, and are of the outer group again.
        for form in &mut made.forms {
            let group = &partition.forms[form.group];
            extend(&mut form.columns, &group.columns);
            form.keyless &= !group.columns.contains(&0);
            form.group = group.group;
        }
        // An order holds within a group, and between groups there is none.
        if !made.order.is_empty() {
            let groups = partition.by.iter().map(|at| self.key_of(*at));
            made.order = groups.chain(made.order).collect();
        }
        extend(&mut made.key, &partition.by);
        Ok(made)
    }

    /// Rows with a column that tells the form of their group, where rows of
    /// several forms differ in what they have of the grouping properties.
    fn partition(
        &mut self,
        mut table: Table,
        by: &[usize],
        within: Option<&Partition>,
    ) -> (Table, Partition) {
        let mut forms: Vec<Form> = Vec::new();
        let mut numbers = Vec::with_capacity(table.forms.len());
        for form in &mut table.forms {
            let has = |at: &usize| form.columns.contains(at);
            let columns = by.iter().copied().filter(has).collect();
            let group = Form { columns, group: form.group, keyless: false };
            let known = forms.iter().position(|other| *other == group);
            form.group = known.unwrap_or(forms.len());
            if known.is_none() {
                forms.push(group);
            }
            numbers.push(form.group);
        }
        let mut all = within.map(|one| one.by.clone()).unwrap_or_default();
        extend(&mut all, by);
        let mut form = None;
        if let Some(old) = table.form.filter(|_| forms.len() > 1) {
            let column = self.hidden();
            let computed = vec![(column, by_form(old, &numbers))];
            table.relation = Relation::Compute(Box::new(table.relation), computed);
            table.columns.push(column);
            all.push(column);
            form = Some(column);
        }
        table.complete = true;
        let (start, size) = (table.relation.clone(), table.size);
        (table, Partition { by: all, forms, form, start, size })
    }
}
