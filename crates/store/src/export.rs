//! Rows out of a database, beside a service that may go on using it.

use std::path::Path;
use std::sync::Arc;

use rollcall_odata::edm::{EntitySet, Model};
use rollcall_odata::plan::List;
use rollcall_odata::plan::window::Window;
use rusqlite::Connection;
use uuid::Uuid;

use crate::sqlite::{self, query};
use crate::table::Tables;
use crate::{Error, RowSink, schema};

/// What is exported of a tenant.
#[derive(Debug, Clone)]
pub enum Extract {
    /// The rows of a report function.
    Window(Window),
    /// Every row of a data set, in the order of a list.
    All(Arc<EntitySet>),
}

/// Gives the rows of one moment to the sink, one by one. It changes nothing,
/// and what it holds in memory does not grow with the rows.
pub fn export(
    file: &Path,
    model: &Model,
    tenant: Uuid,
    extract: &Extract,
    sink: &mut impl RowSink,
) -> Result<(), Error> {
    let (connection, tables) = open(file, model)?;
    match extract {
        Extract::Window(window) => {
            let plan = List::whole(Arc::clone(&window.function.entity_set));
            query::report(&connection, &tables, tenant, (window, &plan), sink).map(drop)
        }
        Extract::All(set) => {
            let plan = List::whole(Arc::clone(set));
            query::list(&connection, &tables, tenant, &plan, sink).map(drop)
        }
    }
}

/// Whether a tenant has a row in any data set.
pub fn has_rows(file: &Path, model: &Model, tenant: Uuid) -> Result<bool, Error> {
    let (connection, tables) = open(file, model)?;
    for set in &model.entity_sets {
        if query::count(&connection, &tables, tenant, &Arc::clone(set).into())? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn open(file: &Path, model: &Model) -> Result<(Connection, Tables), Error> {
    let connection = sqlite::open_to_read(file)?;
    schema::refuse_newer(&connection)?;
    let other = || Error::Mismatch("its tables are not those of the catalogue".to_owned());
    let tables = schema::current(&connection, model)?.ok_or_else(other)?;
    Ok((connection, tables))
}
