use super::*;
use proptest::prelude::*;

fn document() -> UseCase {
    serde_json::from_str(include_str!("../../tests/documents/used-car-price.json")).unwrap()
}

fn check(content: &[u8]) -> Result<(), Refusal> {
    let window = &content[..content.len().min(WINDOW_BYTES)];
    head(window, content.len() as u64, &Columns::of_training(&document()))
}

fn refusal(content: impl AsRef<[u8]>) -> String {
    check(content.as_ref()).unwrap_err().to_string()
}

const HEADER: &str = "price,year,model,odometer,title_status";

#[test]
fn a_csv_with_the_columns_it_needs_is_welcome() {
    for content in [
        format!("{HEADER}\n9000,2011,c300,80000,clean\n"),
        format!("\u{feff}{HEADER}\r\n9000,2011,c300,80000,clean"),
        "title_status,\"odometer\", model ,year,price,note,note\nclean,,c300,2011,9000,,\n".to_owned(),
    ] {
        assert_eq!(check(content.as_bytes()), Ok(()), "{content}");
    }
}

#[test]
fn sizes_are_bounded() {
    assert!(size(0, 10).unwrap_err().to_string().starts_with("is empty. "));
    assert_eq!(size(10, 10), Ok(()));
    assert!(
        size(11, 10)
            .unwrap_err()
            .to_string()
            .starts_with("has 11 bytes; the use case allows 10. ")
    );
}

#[test]
fn what_is_no_text_is_named() {
    for (content, kind) in [
        (&b"\x1f\x8b\x08\x00rest"[..], "is compressed with gzip, not CSV."),
        (
            b"PK\x03\x04rest",
            "is a zip archive (an Excel workbook is one), not CSV.",
        ),
        (b"PAR1rest", "is a Parquet file, not CSV."),
        (b"\xff\xfep\x00r\x00", "is text in UTF-16, not CSV."),
        (b"price,\x00year", "is binary, not text: it holds NUL bytes."),
        (
            b"price,mod\xe8le\n1,2\n",
            "is not text in UTF-8: byte 9 does not belong there.",
        ),
        (b"price,mod\xc3", "is not text in UTF-8: byte 9 does not belong there."),
    ] {
        assert!(refusal(content).starts_with(kind), "{}", refusal(content));
    }
}

#[test]
fn a_character_that_the_window_cuts_does_no_harm() {
    for shift in 0..4 {
        let content = format!("{HEADER}\n{}{}", "x".repeat(shift), "é€🚗".repeat(WINDOW_BYTES / 9 + 1));
        assert_eq!(check(content.as_bytes()), Ok(()), "shift {shift}");
    }
}

#[test]
fn missing_columns_are_named_with_those_that_look_alike() {
    let text = refusal("Price,year,Title Status\n1,2,3\n");
    let expected =
        "lacks the columns `model`, `odometer`, `title_status` (it has `Title Status`), `price` (it has `Price`). ";
    assert!(text.starts_with(expected), "{text}");
    let text = refusal("year,model,odometer,title_status\n1,2,3,4\n");
    assert!(text.starts_with("lacks the column `price`. Name the columns"), "{text}");
}

#[test]
fn other_separators_are_recognised() {
    let text = refusal(HEADER.replace(',', ";") + "\n1;2;3;4;5\n");
    assert!(
        text.ends_with("Separate its columns by commas; now it is `;`."),
        "{text}"
    );
    assert!(refusal(HEADER.replace(',', "\t") + "\n").ends_with("now it is `\\t`."));
}

#[test]
fn headers_must_be_whole_first_and_unambiguous() {
    assert!(refusal(format!("\n{HEADER}\n1,2,3,4,5\n")).starts_with("begins with an empty line."));
    assert!(refusal(" \n").starts_with("begins with an empty line."));
    assert!(refusal(format!("{HEADER},price\n1,2,3,4,5,6\n")).starts_with("names the column `price` more than once."));
    let endless = format!("\"{HEADER}\n{}", "1,2,3,4,5\n".repeat(WINDOW_BYTES / 8));
    assert!(refusal(endless).starts_with("has no end of its header within the first 65536 bytes."));
}

#[test]
fn there_must_be_a_row() {
    for content in [HEADER.to_owned(), format!("{HEADER}\n"), format!("{HEADER}\r\n\r\n\n")] {
        assert!(
            refusal(&content).starts_with("has a header and no rows."),
            "{content:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_judged(content in prop::collection::vec(any::<u8>(), 1..200), more in 0_u64..2) {
        let _ = head(&content, content.len() as u64 + more, &Columns::of_training(&document()));
    }

    #[test]
    fn any_text_is_judged(text in "[\\PC,\"\r\n]{1,80}", more in 0_u64..2) {
        let _ = head(text.as_bytes(), text.len() as u64 + more, &Columns::of_training(&document()));
    }
}
