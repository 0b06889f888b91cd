use super::{Index, Listed, html};
use crate::dashboard::{Dashboard, overview};

const MADE: &str = "2026-11-19T18:14:00Z";

fn listed(use_case: &str, dashboard: Option<&Dashboard>) -> Listed {
    Listed {
        use_case: use_case.to_owned(),
        overview: dashboard.map(overview),
        address: format!("../{use_case}/reporting/dashboard.html"),
    }
}

fn used_cars() -> Dashboard {
    serde_json::from_str(include_str!("../../tests/dashboard.json")).unwrap()
}

fn index(use_cases: Vec<Listed>) -> Index {
    Index {
        stack: "prod".to_owned(),
        generated_at: MADE.parse().unwrap(),
        use_cases,
    }
}

fn main_of(page: &str) -> &str {
    &page[page.find("<main>").unwrap()..page.find("</main>").unwrap()]
}

#[test]
fn each_use_case_is_a_line() {
    let use_cases = vec![listed("fresh", None), listed("used-car-price", Some(&used_cars()))];
    insta::assert_snapshot!(main_of(&html(&index(use_cases)).unwrap()));
}

#[test]
fn held_candidates_are_told_above() {
    let mut overview = overview(&used_cars());
    overview.models[0].holds = 1;
    let mut one = listed("used-car-price", None);
    one.overview = Some(overview);
    let page = html(&index(vec![one])).unwrap();
    assert!(page.contains("1 held candidate waits for somebody's word"));
}

#[test]
fn a_stack_without_use_cases_says_how_to_make_one() {
    let page = html(&index(Vec::new())).unwrap();
    assert!(page.contains("--stack prod</code> makes one"));
}

#[test]
fn hostile_texts_stay_text_and_nothing_is_loaded() {
    const NAME: &str = "</td><script>alert(1)</script>\u{202e}'\"&amp;";
    let mut dashboard = used_cars();
    dashboard.description = NAME.to_owned();
    dashboard.target = NAME.to_owned();
    dashboard.models[0].name = NAME.to_owned();
    for run in &mut dashboard.runs {
        run.model = NAME.to_owned();
        run.decision = Some(NAME.to_owned());
        run.status = NAME.to_owned();
    }
    let mut one = listed(NAME, Some(&dashboard));
    let overview = one.overview.as_mut().unwrap();
    overview.last_run.as_mut().unwrap().outcomes[0].style = NAME.to_owned();
    let page = html(&index(vec![one])).unwrap();
    assert!(!page.contains("<script"), "it needs none");
    for reference in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(reference), "{reference}");
    }
}
