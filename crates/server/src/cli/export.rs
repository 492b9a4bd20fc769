//! `rollcall export`: a tenant's rows on standard output, with or without a
//! service that runs.

use std::io::{self, BufWriter, Stdout, Write};
use std::sync::Arc;

use clap::ValueEnum;
use jiff::civil::Date;
use rollcall_odata::edm::{EntitySet, Function, Model, Type};
use rollcall_odata::payload::csv::write::{Asked, Sheet};
use rollcall_odata::payload::{json, primitive};
use rollcall_odata::plan::query::Shape;
use rollcall_odata::plan::window::{self, Window};
use rollcall_odata::{Period, Row, catalog};
use rollcall_store::{Extract, RowSink};
use uuid::Uuid;

use super::arguments::{Data, first_tenant, tenant};

/// The arguments of `rollcall export`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    /// Whose rows; the first client's tenant without it
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    tenant: Option<Uuid>,
    /// Which report, by the name of its function or its data set; needed where there are several
    #[arg(long, value_name = "NAME")]
    report: Option<String>,
    /// How many days, D1 to D9999, or ALL: each day once, as it was known last
    #[arg(long, value_name = "PERIOD", default_value = "ALL", value_parser = period)]
    period: Period,
    /// The last day; the newest refresh date without it
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Option<Date>,
    /// CSV as Graph's download links give it, or a JSON object on each line
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Every row of every refresh date and period, ids included: `rollcall import` takes it back
    /// without a loss
    #[arg(long, conflicts_with_all = ["period", "to"])]
    all: bool,
}

/// The formats of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

/// Writes the rows of one moment.
pub fn run(args: &Args) -> Result<(), String> {
    let folder = args.data.folder()?;
    let tenant = args.tenant.map_or_else(|| first_tenant(&folder), Ok)?;
    let model = catalog::load(catalog::EMBEDDED).map_err(|error| error.to_string())?;
    let function = report(&model, args.report.as_deref())?;
    let set = &function.entity_set;
    let extract = if args.all {
        if args.format == Format::Csv {
            flat(set)?;
        }
        Extract::All(Arc::clone(set))
    } else {
        let period = function.takes_period().then_some(args.period);
        Extract::Window(Window { function: Arc::clone(function), period, last: args.to })
    };
    let mut rows = Rows::new(args.format, &extract).map_err(|error| unwritten(&error))?;
    rollcall_store::export(&folder.database(), &model, tenant, &extract, &mut rows)
        .map_err(|error| error.to_string())?;
    rows.finish().map_err(|error| unwritten(&error))
}

/// The report that is meant: the only one, or the one of this name.
fn report<'a>(model: &'a Model, name: Option<&str>) -> Result<&'a Arc<Function>, String> {
    let is = |function: &&Arc<Function>| {
        name.is_none_or(|name| {
            [&function.name, &function.entity_set.name]
                .iter()
                .any(|one| one.eq_ignore_ascii_case(name))
        })
    };
    let mut found = model.functions.iter().filter(is);
    if let (Some(function), None) = (found.next(), found.next()) {
        return Ok(function);
    }
    let names: Vec<&str> = model.functions.iter().map(|one| one.name.as_str()).collect();
    Err(format!("--report: expected one of {}.", names.join(", ")))
}

/// Refuses a set whose rows do not fit in cells without a loss.
fn flat(set: &EntitySet) -> Result<(), String> {
    let nested = |ty: &Type| matches!(ty, Type::Collection(_) | Type::Complex(_));
    match set.entity_type.properties.iter().find(|one| nested(&one.ty)) {
        None => Ok(()),
        Some(property) => Err(format!(
            "{} has no lossless form in CSV, because of its property {}. Expected --format jsonl.",
            set.name, property.name
        )),
    }
}

/// Rows on their way out; what cannot be written ends them.
struct Rows {
    out: io::Result<Out>,
}

enum Out {
    Csv(Box<Sheet<BufWriter<Stdout>>>),
    Jsonl { set: Arc<EntitySet>, keyed: bool, line: Vec<u8>, out: BufWriter<Stdout> },
}

impl Rows {
    fn new(format: Format, extract: &Extract) -> io::Result<Self> {
        let out = BufWriter::new(io::stdout());
        let out = match (format, extract) {
            (Format::Csv, Extract::Window(window)) => {
                let asked = Asked { shape: &Shape::default(), selection: None };
                Out::Csv(Box::new(Sheet::of_function(&window.function, asked, out)?))
            }
            (Format::Csv, Extract::All(set)) => Out::Csv(Box::new(Sheet::of_set(set, out)?)),
            (Format::Jsonl, Extract::Window(window)) => {
                let set = Arc::clone(&window.function.entity_set);
                Out::Jsonl { set, keyed: false, line: Vec::new(), out }
            }
            (Format::Jsonl, Extract::All(set)) => {
                Out::Jsonl { set: Arc::clone(set), keyed: true, line: Vec::new(), out }
            }
        };
        Ok(Self { out: Ok(out) })
    }

    fn finish(self) -> io::Result<()> {
        match self.out? {
            Out::Csv(sheet) => sheet.finish()?.flush(),
            Out::Jsonl { mut out, .. } => out.flush(),
        }
    }
}

impl RowSink for Rows {
    fn row(&mut self, _version: u64, row: &Row) {
        let written = match &mut self.out {
            Err(_) => return,
            Ok(Out::Csv(sheet)) => sheet.row(row),
            Ok(Out::Jsonl { set, keyed, line, out }) => {
                line.clear();
                json::write::object(line, set, row, *keyed);
                line.push(b'\n');
                out.write_all(line)
            }
        };
        if let Err(error) = written {
            self.out = Err(error);
        }
    }
}

fn unwritten(error: &io::Error) -> String {
    format!("Standard output cannot be written: {error}.")
}

fn period(text: &str) -> Result<Period, String> {
    window::asked_period(text).ok_or_else(|| "expected D1 to D9999, or ALL".to_owned())
}

fn date(text: &str) -> Result<Date, String> {
    primitive::date(text).ok_or_else(|| "expected a real day as YYYY-MM-DD".to_owned())
}
