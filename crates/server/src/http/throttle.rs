//! Graph's limits on demand: how many requests of a report Graph answers in ten
//! minutes (Microsoft Graph, service-specific throttling limits, reports).

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use lru::LruCache;
use uuid::Uuid;

/// The time in which requests are counted.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// How many counters are kept; of more, the one that was not needed for longest
/// begins anew. Each has at most 100 times of 16 bytes, and names of some 200, so that
/// all have 20 MB.
const COUNTERS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The forms of a report, which Graph counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// The call for a download link.
    Csv,
    /// The call for rows.
    Json,
}

impl Form {
    /// The most requests of an application in a tenant.
    fn of_application(self) -> usize {
        match self {
            Self::Csv => 14,
            Self::Json => 100,
        }
    }

    /// The most requests of all applications in a tenant; of JSON Graph states none.
    fn of_tenant(self) -> Option<usize> {
        match self {
            Self::Csv => Some(40),
            Self::Json => None,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
        }
    }
}

/// A request that counts.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The tenant.
    pub tenant: Uuid,
    /// The application that asks, for itself or for a user.
    pub application: &'a str,
    /// The report function: each is counted for itself.
    pub report: &'a str,
    /// Its form.
    pub form: Form,
}

/// A request that is over a limit, and does not count.
#[derive(Debug, PartialEq, Eq)]
pub struct Throttled {
    /// After how many whole seconds it would be answered, at least 1.
    pub seconds: u64,
    /// Which limit it is, for the log.
    pub limit: String,
}

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Counter {
    tenant: Uuid,
    /// Nothing where it is of all applications.
    application: Option<String>,
    report: String,
    form: Form,
}

/// Counts requests, each for ten minutes.
pub struct GraphLimits(Mutex<LruCache<Counter, VecDeque<Timestamp>>>);

impl Default for GraphLimits {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(COUNTERS)))
    }
}

impl GraphLimits {
    /// Counts a request at this time, unless it is over a limit.
    pub fn count(&self, asked: &Asked<'_>, now: Timestamp) -> Result<(), Throttled> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_tenant = asked.form.of_tenant().map(|most| (None, most));
        let limits: Vec<(Counter, usize)> =
            std::iter::once((Some(asked.application), asked.form.of_application()))
                .chain(of_tenant)
                .map(|(application, most)| (counter(asked, application), most))
                .collect();
        let mut over: Option<Throttled> = None;
        for (counter, most) in &limits {
            let times = counters.get_or_insert_mut(counter.clone(), VecDeque::new);
            // A clock that was turned back leaves times that have not come yet.
            times.retain(|at| *at <= now && now.duration_since(*at) < WINDOW);
            if let Some(first) = times.front().filter(|_| times.len() >= *most) {
                let seconds = seconds_until(WINDOW - now.duration_since(*first));
                if over.as_ref().is_none_or(|other| other.seconds < seconds) {
                    over = Some(Throttled { seconds, limit: told(counter, *most) });
                }
            }
        }
        if let Some(throttled) = over {
            return Err(throttled);
        }
        for (counter, _) in limits {
            if let Some(times) = counters.get_mut(&counter) {
                times.push_back(now);
            }
        }
        Ok(())
    }
}

fn counter(asked: &Asked<'_>, application: Option<&str>) -> Counter {
    let Asked { tenant, report, form, .. } = *asked;
    Counter { tenant, application: application.map(str::to_owned), report: report.to_owned(), form }
}

fn told(counter: &Counter, most: usize) -> String {
    let form = counter.form.text();
    let whose =
        if counter.application.is_some() { "an application in a tenant" } else { "a tenant" };
    format!(
        "graph-limits: {most} requests of {whose} for {} as {form} in 10 minutes",
        counter.report
    )
}

/// Whole seconds, rounded up.
fn seconds_until(left: SignedDuration) -> u64 {
    let whole = left.as_secs() + i64::from(left.subsec_nanos() > 0);
    u64::try_from(whole).unwrap_or(0).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn asked(application: &str, form: Form) -> Asked<'_> {
        Asked { tenant: Uuid::from_u128(1), application, report: "getX", form }
    }

    #[test]
    fn each_request_counts_for_ten_minutes() {
        let limits = GraphLimits::default();
        for second in 0..14 {
            assert_eq!(limits.count(&asked("a", Form::Csv), at(second * 1000)), Ok(()));
        }
        let refused = |millis| limits.count(&asked("a", Form::Csv), at(millis)).unwrap_err();
        assert_eq!(refused(13_000).seconds, 587);
        assert_eq!(refused(13_500).seconds, 587);
        assert!(refused(13_000).limit.contains("14 requests of an application"));
        assert_eq!(refused(599_999).seconds, 1);
        assert_eq!(limits.count(&asked("a", Form::Csv), at(600_000)), Ok(()));
        assert_eq!(refused(600_000).seconds, 1);
    }

    #[test]
    fn a_tenant_has_a_limit_of_its_own() {
        let limits = GraphLimits::default();
        let all = ["a", "b", "c"].map(|application| {
            (0..14).filter(|_| limits.count(&asked(application, Form::Csv), at(0)).is_ok()).count()
        });
        assert_eq!(all, [14, 14, 12]);
        let refused = limits.count(&asked("d", Form::Csv), at(1000)).unwrap_err();
        assert_eq!(refused.seconds, 599);
        assert!(refused.limit.contains("40 requests of a tenant"));
        let other = Asked { tenant: Uuid::from_u128(2), ..asked("d", Form::Csv) };
        assert_eq!(limits.count(&other, at(1000)), Ok(()));
        let other = Asked { report: "getY", ..asked("d", Form::Csv) };
        assert_eq!(limits.count(&other, at(1000)), Ok(()));
    }

    #[test]
    fn json_is_counted_apart_and_for_applications_alone() {
        let limits = GraphLimits::default();
        for application in ["a", "b"] {
            let counted = |_: &i32| limits.count(&asked(application, Form::Json), at(0)).is_ok();
            assert_eq!((0..200).filter(counted).count(), 100);
        }
        assert_eq!(limits.count(&asked("a", Form::Csv), at(0)), Ok(()));
    }

    #[test]
    fn a_clock_that_is_turned_back_forgets() {
        let limits = GraphLimits::default();
        for _ in 0..14 {
            assert_eq!(limits.count(&asked("a", Form::Csv), at(5_000_000)), Ok(()));
        }
        assert_eq!(limits.count(&asked("a", Form::Csv), at(0)), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let limits = GraphLimits::default();
        for number in 0..20_000 {
            let application = number.to_string();
            assert_eq!(limits.count(&asked(&application, Form::Json), at(0)), Ok(()));
        }
        assert_eq!(limits.0.lock().unwrap().len(), COUNTERS.get());
    }
}
