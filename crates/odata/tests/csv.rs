//! CSV as it is found: every shape of file, under the catalogue that is built in.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use rollcall_odata::edm::Model;
use rollcall_odata::payload::csv::read::Known;
use rollcall_odata::payload::primitive;
use rollcall_odata::plan::bulk::{Intake, Taken};
use rollcall_odata::{Error, Value, catalog};

fn model() -> Model {
    catalog::load(catalog::EMBEDDED).unwrap()
}

fn taken(model: &Model, pieces: &[&[u8]]) -> Result<Taken, Error> {
    let newest = "2026-11-25".parse().unwrap();
    let mut intake = Intake::csv(Known::of_model(model), newest, 100);
    pieces.iter().try_for_each(|piece| intake.feed(piece))?;
    intake.finish()?;
    Ok(intake.take())
}

fn shown(text: &str) -> String {
    let model = model();
    let taken = match taken(&model, &[text.as_bytes()]) {
        Ok(taken) => taken,
        Err(error) => return error.message,
    };
    let rows = taken.lines.iter().enumerate().map(|(number, line)| {
        let cells = taken.rows.row(number).iter().map(|value| match value {
            Value::Null => "-".to_owned(),
            value => primitive::text_of(value),
        });
        format!("{line}: {}", cells.collect::<Vec<_>>().join(" "))
    });
    let reasons = taken.reasons.iter().map(|one| format!("{}: {}", one.line, one.error.message));
    rows.chain(reasons).collect::<Vec<_>>().join("\n    ")
}

const HEAD: &str = "Report Refresh Date,Office 365,Exchange,OneDrive,SharePoint,\
                    Skype For Business,Yammer,Teams,Report Date,Report Period";
const ROW: &str = "2026-11-20,9,8,8,10,0,6,5,2026-11-18,7";

#[test]
fn files_in_every_shape() {
    let quoted = |text: &str| {
        let lines = text.lines().map(|line| format!("\"{}\"", line.replace(',', "\",\"")));
        lines.collect::<Vec<_>>().join("\r\n")
    };
    let plain = format!("{HEAD}\n{ROW}\n");
    let cases = [
        ("plain", plain.clone()),
        ("no line end", format!("{HEAD}\n{ROW}")),
        ("mark, CRLF, quotes", format!("\u{feff}{}\r\n", quoted(&plain))),
        ("blank lines", format!("\n\r\n{HEAD}\n\n{ROW}\n\n\n{}\n", ROW.replace(",7", ",D30"))),
        (
            "other order, letter case, blanks",
            " report period , TEAMS ,Report date,reportRefreshDate,id\nD7, 5 ,2026-11-18,\
             2026-11-20,DA0E2EB0-2eb0-da0e-b02e-0edab02e0eda\nALL,,2026-11-18,2026-11-20,\n"
                .to_owned(),
        ),
        ("data as of, a column", plain.replace("Report Refresh Date", "Data as of")),
        (
            "data as of, a date in its heading",
            "Data As Of 2017-09-01,Teams,Report Date,Report Period\n,5,2017-08-30,7\n\
             x,5,2017-08-29,7\n2017-09-01,5,2017-08-28,7\n2017-09-02,5,2017-08-27,7\n"
                .to_owned(),
        ),
        (
            "data as of, above",
            "Data as of: 2017-09-01,,\nTeams,Report Date,Report Period\n5,2017-08-30,7\n"
                .to_owned(),
        ),
        (
            "data as of, above in two cells",
            "Data as of,2017-09-01,\nTeams,Report Date,Report Period\n5,2017-08-30,7\n".to_owned(),
        ),
        ("data as of, who knows", "Data as of 9/1/2017,Report Date\n".to_owned()),
        ("heading alone", format!("{HEAD}\n")),
        ("nothing", String::new()),
        ("unknown headings", format!("{HEAD},Copilot,\"a\nb\"\n{ROW},1,2\n")),
        ("no date", "Report Refresh Date,Report Period,Teams\n".to_owned()),
        ("twice", format!("{HEAD},teams\n")),
        ("semicolons", HEAD.replace(',', ";")),
        (
            "bad rows",
            format!(
                "{HEAD}\n2026-11-20,9,8\n{ROW},\n{}\n{}\n{}\n{}\n",
                ROW.replace("2026-11-18", "2026-11-21"),
                ROW.replace("9,8,8", "9.0,-1,x"),
                ROW.replace("2026-11-20", ""),
                ROW.replace("2026-11-20", "2026-12-20"),
            ),
        ),
        ("extra columns without headings", format!("{HEAD},\n{ROW},\n{ROW},x\n")),
    ];
    let lines: Vec<String> =
        cases.iter().map(|(name, text)| format!("{name}\n    {}", shown(text))).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_two_reports_share_must_be_told_apart() {
    let second = "[[entity_set]]\nname = \"others\"\nunder = \"reports\"\n\
        entity_type = \"microsoft.graph.office365ActiveUserCounts\"\ntable = \"others\"\n\
        identity = [\"reportDate\", \"reportRefreshDate\", \"reportPeriod\"]\n\
        [[function]]\nname = \"getOthers\"\nentity_set = \"others\"\n\
        columns = [{ heading = \"Report Date\", property = \"reportDate\" }]\n";
    let files = [catalog::EMBEDDED, &[("second.toml", second)]].concat();
    let model = catalog::load(&files).unwrap();
    let text = "reportDate,reportRefreshDate,reportPeriod\n2026-11-18,2026-11-20,7\n";
    let error = taken(&model, &[text.as_bytes()]).unwrap_err().message;
    assert!(error.contains("--report: getOffice365ActiveUserCounts or getOthers"), "{error}");
    assert!(Known::of_model(&model).only_set().is_err());
    for name in ["GETOTHERS", "others"] {
        assert_eq!(Known::named(&model, name).unwrap().only_set().unwrap().name, "others");
    }
    assert!(Known::named(&model, "x").unwrap_err().message.contains("or getOthers"));
    // The heading of one function is not known to the other.
    let text = text.replace("reportPeriod", "Report Period");
    assert_eq!(taken(&model, &[text.as_bytes()]).unwrap().lines, [2]);
}

#[test]
fn a_quotation_mark_that_is_not_closed_costs_no_memory() {
    let text = format!("{HEAD}\n\"{}", "x\n".repeat(100_000));
    assert!(shown(&text).contains("begins on line 2 is longer than 65536"), "{}", shown(&text));
    // Cells without a byte are limited as well, in a row and among the headings.
    for commas in [",".repeat(70_000), format!("{HEAD}\n{}", ",".repeat(70_000))] {
        assert!(shown(&commas).contains("is longer than 65536"));
    }
}

proptest::proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same(
        text in "(\u{feff})?(Data as of 2026-11-20\r?\n)?Report Date,Report Period,Teams\
                 (\r?\n\"?(2026-11-1[0-9]|x|)\"?,\"?[0-9]{0,3}\"?,[0-9\", \n]{0,3}){0,6}\r?\n?",
        cuts in proptest::collection::vec(0_usize..200, 0..6),
    ) {
        let model = model();
        let bytes = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|two| &bytes[two[0]..two[1]]).collect();
        let told = |taken: Result<Taken, Error>| {
            taken.map(|one| (one.rows, one.lines, one.rejected, one.reasons))
        };
        let (whole, cut) = (told(taken(&model, &[bytes])), told(taken(&model, &pieces)));
        proptest::prop_assert_eq!(whole, cut);
    }
}
