//! What the API does and what `docs/API.md` says are the same.

use super::*;

const PAGE: &str = include_str!("../../../../docs/API.md");

#[test]
fn every_route_is_documented_and_every_documented_route_is_there() {
    let table: Vec<&str> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|cell| cell.starts_with("GET ") || cell.starts_with("POST "))
        .map(|cell| cell.split(' ').nth(1).unwrap())
        .collect();
    let routes: Vec<&str> = ROUTES.iter().chain(&WATCH_ROUTES).map(|route| route.path).collect();
    assert_eq!(table, routes);
}

#[test]
fn every_error_is_documented_with_its_status() {
    for problem in Problem::ALL {
        let (code, status, action) = (problem.code(), problem.status(), problem.action());
        let row = format!("| `{code}` | {} |", status.as_u16());
        assert!(PAGE.contains(&row), "{row}");
        assert!(action.is_ascii() && !action.is_empty());
    }
    let rows =
        PAGE.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 2);
    let coded = rows.filter(|line| line.split(" | ").nth(1).unwrap().parse::<u16>().is_ok());
    assert_eq!(coded.count(), Problem::ALL.len());
}

#[test]
fn the_bounds_are_those_of_the_code() {
    let thousands = |n: usize| {
        if n < 1_000 { n.to_string() } else { format!("{},{:03}", n / 1_000, n % 1_000) }
    };
    for text in [
        format!("{} requests under way", thousands(limits::API_REQUESTS)),
        format!("{} connections", thousands(limits::API_CONNECTIONS)),
        format!("{} reads of the ledger", limits::API_READERS),
        format!("{} MiB of bodies", limits::API_BODY_BUDGET_KIB / 1_024),
        format!("at most {} MiB, or its canonical", limits::SUBMISSION_JSON_BYTES / 1_024 / 1_024),
        format!("(1 to {}, {} if left out)", limits::API_PAGE, limits::API_PAGE_DEFAULT),
        format!(
            "{} if left out, at most {}",
            thousands(usize::try_from(limits::API_WAIT_DEFAULT.as_millis()).unwrap()),
            thousands(usize::try_from(limits::API_WAIT_MAX.as_millis()).unwrap()),
        ),
        format!("{} s for a request as a whole", limits::API_REQUEST_TIME.as_secs()),
    ] {
        assert!(PAGE.contains(&text), "{text}");
    }
}
