//! The statements over `repeated`, where requests are remembered that are done once.

/// Tenant, who, client, request, part, time: digest, kind, version and entity
/// of what is remembered at that time.
pub(crate) const RECALL: &str = "\
    SELECT digest, kind, version, entity FROM repeated \
    WHERE tenant = ?1 AND who = ?2 AND client = ?3 AND request = ?4 AND part = ?5 AND until > ?6";

/// Tenant, who, client, request, time: the digest of what has been done under
/// this name, whichever of its writes. They all have the same. The `+` keeps
/// SQLite from walking along all times instead of looking for the name.
pub(crate) const KNOWN: &str = "\
    SELECT digest FROM repeated \
    WHERE tenant = ?1 AND who = ?2 AND client = ?3 AND request = ?4 AND +until > ?5 LIMIT 1";

/// One more request: tenant, who, client, request, part, digest, until, kind,
/// version, entity. It takes the place of one that is remembered no longer.
pub(crate) const KEEP: &str = "\
    INSERT OR REPLACE INTO repeated \
    (tenant, who, client, request, part, digest, until, kind, version, entity) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// Tenant, time: some requests are forgotten whose time is over. Each request
/// that is kept makes room for more than itself, so that no more are there
/// than a day has brought, and no write does much for others.
pub(crate) const FORGET: &str = "\
    DELETE FROM repeated WHERE tenant = ?1 AND (who, client, request, part) IN (\
    SELECT who, client, request, part FROM repeated \
    WHERE tenant = ?1 AND until <= ?2 ORDER BY until LIMIT 16)";

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use crate::sql::define;

    #[test]
    fn what_is_forgotten_is_found_by_its_time() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(define::REPEATED).unwrap();
        let plan_of = |sql: &str| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let nothing = std::iter::repeat_n(0, statement.parameter_count());
            let nothing = rusqlite::params_from_iter(nothing);
            let steps = statement.query_map(nothing, |row| row.get::<_, String>(3)).unwrap();
            steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
        };
        let forget = plan_of(super::FORGET);
        assert!(forget.contains("INDEX repeated_until (tenant=? AND until<?)"), "{forget}");
        assert!(!forget.contains("SCAN repeated") && !forget.contains("ORDER BY"), "{forget}");
        for sql in [super::RECALL, super::KNOWN] {
            let plan = plan_of(sql);
            assert!(plan.starts_with("SEARCH repeated USING PRIMARY KEY"), "{plan}");
        }
    }
}
