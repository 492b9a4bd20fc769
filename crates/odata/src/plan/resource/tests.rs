//! Where each path leads.

use super::*;
use crate::catalog;

fn read(path: &str, query: &str) -> String {
    let model = catalog::load(catalog::EMBEDDED).unwrap();
    let segments = path::parse(path).unwrap();
    let root = "http://127.0.0.1:8365/v1.0";
    match resolve(&model, root, &segments, &Options::parse(query).unwrap()) {
        Err(error) => format!("{} {error}", error.code.status()),
        Ok(Resource::Service) => "service".to_owned(),
        Ok(Resource::Metadata) => "metadata".to_owned(),
        Ok(Resource::Batch) => "batch".to_owned(),
        Ok(Resource::Singleton(name)) => format!("singleton {name}"),
        Ok(Resource::Set(place)) => format!("set {}", place.path),
        Ok(Resource::Delta(place)) => format!("delta {}", place.path),
        Ok(Resource::Count(place)) => format!("count {}", place.path),
        Ok(Resource::Entity(place, selector)) => format!("{} {selector:?}", place.path),
        Ok(Resource::ById(place, selector)) => format!("by id {} {selector:?}", place.path),
        Ok(Resource::Reference(place, _)) => format!("reference {}", place.path),
        Ok(Resource::References(place)) => format!("references {}", place.path),
        Ok(Resource::Property(place, _, at)) => format!("property {at} {}", place.path),
        Ok(Resource::Value(place, _, at)) => format!("value {at} {}", place.path),
        Ok(Resource::Query) => "query".to_owned(),
        Ok(Resource::ReportCount(window, filters)) => {
            format!("count {} {filters:?}", window.label())
        }
        Ok(Resource::Function(window, filters)) => {
            format!("{} {} {filters:?}", window.function.name, window.label())
        }
    }
}

/// Paths and queries, with names for what is in `paths`.
const PATHS: &[(&str, &str)] = &[
    ("", ""),
    ("$metadata", ""),
    ("$METADATA/x", ""),
    ("Reports", ""),
    ("reports()", ""),
    ("reports/{set}", ""),
    ("REPORTS/OFFICE365ACTIVEUSERCOUNTS", ""),
    ("{set}", ""),
    ("{set}/$count", ""),
    ("{set}/$count/x", ""),
    ("{set}/$ref", ""),
    ("{set}/delta", ""),
    ("{set}/DELTA()", ""),
    ("reports/{set}/Microsoft.Graph.delta", ""),
    ("{set}/microsoft.graph.delta()", ""),
    ("{set}/microsoft.graph.{set}/delta", ""),
    ("{set}/delta('x')", ""),
    ("{set}/delta/$count", ""),
    ("{set}/delta/x", ""),
    ("{set}/$nonsense", ""),
    ("{set}/{id}", ""),
    ("{set}('{id}')", ""),
    ("reports/{set}(ID='{id}')", ""),
    ("{set}(@k)", "@k='{id}'"),
    ("{set}(@k)", "@k=@k"),
    ("{set}(@k)", ""),
    ("{set}({id})", ""),
    ("{set}()", ""),
    ("{set}/not-a-guid", ""),
    ("{set}('nor this')", ""),
    ("{set}/microsoft.graph.{set}", ""),
    ("{set}({fact})", ""),
    ("{set}({fact},teams=5)", ""),
    ("{set}({fact},reportPeriod='7')", ""),
    ("{set}(reportDate=2026-11-18)", ""),
    ("{set}(reportDate=2026-02-30,reportPeriod='7',reportRefreshDate=2026-11-20)", ""),
    ("{set}(reportDate='2026-11-18',reportPeriod='7',reportRefreshDate=@d)", "@d=2026-11-20"),
    ("{set}(reportDate=2026-11-18,reportPeriod=7,reportRefreshDate=2026-11-20)", ""),
    ("{set}/{id}/teams", ""),
    ("{set}/{id}/teams/$value", ""),
    ("{set}/{id}/$value", ""),
    ("{set}/{id}/nothing", ""),
    ("{set}/{id}/TEAMS/", ""),
    ("{set}/{id}/teams()", ""),
    ("{set}/{id}/teams/$count", ""),
    ("{set}/{id}/teams/$value/x", ""),
    ("{set}/{id}/$ref", ""),
    ("{set}('{id}')/microsoft.graph.{set}/teams", ""),
    ("{set}/microsoft.graph.{set}('{id}')", ""),
    ("{set}/microsoft.graph.{set}/$count", ""),
    ("{set}/graph.{set}/$count", ""),
    ("{set}/GRAPH.{set}('{id}')/Graph.{set}/teams", ""),
    ("{set}/graph.{set}()", ""),
    ("{set}/graph.entity", ""),
    ("{set}/$filter(x)/$each", ""),
    ("{set}/$filter(x)", ""),
    ("{set}/$FILTER(a/b)/$filter(c eq '/')/$count", ""),
    ("{set}/$filter(x)/graph.{set}/$ref", ""),
    ("{set}/graph.{set}/$filter(x)", ""),
    ("{set}/$filter(x)/{id}", ""),
    ("{set}/$filter(x)/delta", ""),
    ("{set}/$filter", ""),
    ("{set}/{id}/$filter(x)", ""),
    ("{set}/$count/$filter(x)", ""),
    ("{set}/$query", ""),
    ("$query", ""),
    ("nothing/$QUERY", ""),
    ("{set}/$query/$count", ""),
    ("$entity", "$id={set}('{id}')"),
    ("$entity", "$id=http%3A//127.0.0.1:8365/v1.0/reports/{set}/{id}"),
    ("$entity", "$id=HTTP://127.0.0.1:8365/V1.0/{set}('{id}')"),
    ("$entity", "$id=/v1.0/{set}('{id}')"),
    ("$entity", "$id=/v2.0/{set}('{id}')"),
    ("$entity", "$id=http://elsewhere/v1.0/{set}/{id}"),
    ("$entity/graph.{set}", "$id={set}('{id}')"),
    ("$entity/microsoft.graph.{set}", "$id={set}('{id}')/graph.{set}"),
    ("$entity/graph.entity", "$id={set}('{id}')"),
    ("$entity/graph.{set}/teams", "$id={set}('{id}')"),
    ("$entity", "ID={set}('{id}')"),
    ("$entity", "$id={set}"),
    ("$entity", "$id=$entity"),
    ("$entity", "$id="),
    ("$entity", ""),
    ("$entity/teams", "$id={set}('{id}')"),
    ("$all", ""),
    ("$crossjoin({set})", ""),
    ("$batch", ""),
    ("reports/getOffice365ActiveUserCounts(period='D7')", ""),
    ("reports/microsoft.graph.getOffice365ActiveUserCounts(period='D7')", ""),
    ("Reports/MICROSOFT.GRAPH.GETOFFICE365ACTIVEUSERCOUNTS(PERIOD='d7')/Content", ""),
    ("reports/getOffice365ActiveUserCounts%28period=%27D7%27%29", ""),
    ("reports/getOffice365ActiveUserCounts(period=@p)/content", "@p=%27D7%27"),
    ("reports/getOffice365ActiveUserCounts(period='D7')/content/x", ""),
    ("reports/getOffice365ActiveUserCounts(period='D7')/content()", ""),
    ("reports/getOffice365ActiveUserCounts(period='D7')/$count", ""),
    ("reports/graph.getOffice365ActiveUserCounts(period='D7')/$filter(x)/$filter(y)", ""),
    ("reports/getOffice365ActiveUserCounts(period='D7')/$filter(x)/$count", ""),
    ("reports/getOffice365ActiveUserCounts(period='D7')/$filter(x)/content", ""),
    ("reports/getOffice365ActiveUserCounts(period='D7')/graph.{set}/$count", ""),
    ("reports/getOffice365ActiveUserCounts(period='D7')/graph.entity", ""),
    ("reports/getOffice365ActiveUserCounts(period='D7')/$query", ""),
    ("reports/getOffice365ActiveUserCounts", ""),
    ("getOffice365ActiveUserCounts(period='D7')", ""),
    ("reports/microsoft.graph.nothing", ""),
    ("reports/nothing", ""),
    ("reports/graph.reportRoot", ""),
    ("reports/Microsoft.Graph.ReportRoot/{set}/{id}/teams", ""),
    ("reports/graph.reportRoot/graph.getOffice365ActiveUserCounts(period='D7')", ""),
    ("reports/graph.reportRoot()/{set}", ""),
    ("graph.reportRoot/{set}", ""),
    ("nothing/at/all", ""),
];

#[test]
fn paths() {
    let set = "office365ActiveUserCounts";
    let id = "DA0E2EB0-2eb0-da0e-b02e-0edab02e0eda";
    let fact = "reportRefreshDate=2026-11-20,reportPeriod='D7',reportDate=2026-11-18";
    let lines: Vec<String> = PATHS
        .iter()
        .map(|(path, query)| {
            let fill =
                |text: &str| text.replace("{set}", set).replace("{id}", id).replace("{fact}", fact);
            format!("{path}?{query}\n    {}", read(&fill(path), &fill(query)))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}
