use super::*;
use contracts::UseCase;
use contracts::use_case::ColumnType;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::io::Read;
use std::path::PathBuf;

fn made(name: &str, bytes: &[u8], wishes: Wishes<'_>) -> Result<Proposal> {
    let owned = bytes.to_vec();
    let open = move || -> std::io::Result<Box<dyn Read>> { Ok(Box::new(std::io::Cursor::new(owned.clone()))) };
    propose(name, &open, wishes, &mut |_| {})
}

fn of(text: &str) -> (Proposal, UseCase) {
    let proposal = made("rows.csv", text.as_bytes(), Wishes::default()).unwrap();
    let document = document::parse("rows.yaml", &proposal.document).unwrap();
    (proposal, document)
}

fn refusal(text: &str) -> String {
    made("rows.csv", text.as_bytes(), Wishes::default())
        .unwrap_err()
        .to_string()
}

/// A table of `rows` rows with a column of numbers to predict, and others that `of_row` writes.
fn table(header: &str, rows: usize, of_row: impl Fn(usize) -> String) -> String {
    let mut text = format!("{header},price\n");
    for row in 0..rows {
        writeln!(text, "{},{}", of_row(row), 1000 + row * 7919 % 977).unwrap();
    }
    text
}

fn why<'a>(proposal: &'a Proposal, column: &str) -> (&'a str, &'a str) {
    let found = proposal.columns.iter().find(|it| it.column == column).unwrap();
    (&found.becomes, &found.why)
}

fn tables() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../processing/tests/data/init"))
}

/// The tests of processing/ run Preprocess over these tables, by these documents; `UPDATE_GOLDEN=1` records them anew.
#[test]
fn three_tables_give_the_documents_that_preprocess_is_tried_with() {
    for (table, target) in [("cars", "price_USD"), ("houses", "SalePrice"), ("demand", "sales")] {
        let name = format!("{table}.csv");
        let bytes = std::fs::read(tables().join(&name)).unwrap();
        let proposal = made(&name, &bytes, Wishes::default()).unwrap();
        let document = document::parse(&name, &proposal.document).unwrap();
        assert_eq!(document.target.name, target);
        insta::assert_snapshot!(table, proposal.document);
        let golden = tables().join(format!("{table}.json"));
        let json = serde_json::to_string_pretty(&document).unwrap() + "\n";
        if std::env::var("UPDATE_GOLDEN").is_ok() {
            std::fs::write(&golden, &json).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&golden).unwrap(), json, "{}", golden.display());
    }
}

#[test]
fn files_that_are_written_another_way_get_an_input() {
    let text = table("fuel", 200, |row| ["gaz", "żółty", "ropa"][row % 3].to_owned());
    let semicolons = text.replace(',', ";").replace('\n', ",5\n").replacen(",5", "", 1);
    let central: Vec<u8> = semicolons
        .chars()
        .map(|it| match it {
            'ż' => 0xbf,
            'ó' => 0xf3,
            'ł' => 0xb3,
            other => u8::try_from(u32::from(other)).unwrap(),
        })
        .collect();
    let proposal = made("rows.csv", &central, Wishes::default()).unwrap();
    let told = "input: { delimiter: \";\", decimal: \",\", encoding: cp1250 }";
    assert!(proposal.document.contains(told), "{}", proposal.document);
    assert!(proposal.document.contains("\"żółty\""), "{}", proposal.document);
}

#[test]
fn letters_of_another_encoding_may_come_late() {
    let text = table("fuel,note", 5000, |row| {
        format!("{},{}", row % 3, if row == 4900 { "Citroën" } else { "x" })
    });
    let bytes: Vec<u8> = text.chars().map(|it| u8::try_from(u32::from(it)).unwrap()).collect();
    let proposal = made("rows.csv", &bytes, Wishes::default()).unwrap();
    assert!(proposal.document.contains("encoding: cp1252"), "{}", proposal.document);
}

#[test]
fn every_column_has_its_reason() {
    let text = table(
        "id,vin,when,flag,code,zip,store_id,weight,gap,rare,same,size,half,size",
        400,
        |row| {
            format!(
                "{},V{:04}X,2024-01-{:02},{},{},{:05},{},{} kg,{},{},us,{},{},1",
                row + 10,
                row * 7919 % 9973,
                row % 28 + 1,
                ["true", "False"][row % 2],
                row * 31 % 397,
                row % 20,
                row % 8,
                row * 31 % 397,
                if row % 9 == 0 {
                    "?".to_owned()
                } else {
                    (row % 37).to_string()
                },
                if row == 7 { "x" } else { "" },
                row % 5,
                if row % 2 == 0 { "yes" } else { "" },
            )
        },
    );
    let (proposal, document) = of(&text);
    let told: Vec<String> = proposal
        .columns
        .iter()
        .map(|it| {
            format!(
                "{}: {}{}: {}",
                it.column,
                it.becomes,
                if it.required { "!" } else { "" },
                it.why
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(document.input.missing, ["?"]);
    assert_eq!(
        document.schema.columns.iter().find(|it| it.name == "gap").unwrap().kind,
        ColumnType::Integer
    );
}

/// However few there are: as words they would be ordered by nothing.
#[test]
fn numbers_with_a_unit_are_left_out() {
    let text = table("km,share,dollars,change,area,zone,rooms", 600, |row| {
        let [a, b, c] = [30, 100, 7].map(|by| row * 37 % by);
        format!("{a} km,{b}%,${},({}),{} m\u{b2},Zone {c},{c}", a + 5, b + 1, a + 20)
    });
    let (proposal, document) = of(&text);
    assert_eq!(document.columns(), ["zone", "rooms"]);
    for (column, words) in [
        ("km", "`km`, as `0 km`"),
        ("share", "`%`, as `"),
        ("dollars", "`$`, as `$"),
        ("change", "`(` and `)`, as `("),
        ("area", "`m\u{b2}`, as `"),
    ] {
        let (becomes, why) = why(&proposal, column);
        assert_eq!(becomes, "left out");
        let told = format!("its values are numbers with {words}");
        assert!(
            why.starts_with(&told) && why.contains("write plain numbers"),
            "{column}: {why}"
        );
    }
}

/// Combine adds these to a scored file: no file that has them could be scored.
#[test]
fn columns_that_a_scored_file_adds_are_left_out() {
    let text = table("inference_id,xgboost,Xgboost,price_predicted,rooms", 300, |row| {
        let [a, b, c] = [7, 11, 13].map(|by| row * 31 % by);
        format!("{a},{b},{c},{},{}", row * 37 % 101, row % 5)
    });
    let (proposal, document) = of(&text);
    assert_eq!(document.columns(), ["Xgboost", "rooms"]);
    for column in ["inference_id", "xgboost", "price_predicted"] {
        let (becomes, why) = why(&proposal, column);
        assert_eq!(becomes, "left out");
        assert!(why.starts_with("a scored file adds a column of this name"), "{why}");
    }
    // A target is not a column that is predicted from, and may be called so.
    let wishes = Wishes {
        target: Some("xgboost"),
        id: None,
    };
    let proposal = made("rows.csv", text.as_bytes(), wishes).unwrap();
    assert_eq!(why(&proposal, "xgboost").0, "target");
    assert_eq!(why(&proposal, "price_predicted").0, "integer");
}

#[test]
fn the_target_is_never_chosen_silently() {
    let rows = |header: &str| {
        format!("{header}\n")
            + &(0..200)
                .map(|at| format!("{},{},{}\n", at % 7, at % 11, at % 13))
                .collect::<String>()
    };
    for (header, target, reason) in [
        ("a,price_eur,c", "price_eur", "by its name"),
        ("a,sales,unit_price", "sales", "by its name"),
        ("a,price,units_sold", "price", "by its name"),
        ("a,unit_price,units_sold", "units_sold", "by its name"),
        ("y,b,c", "y", "by its name"),
        ("pos_y,b,price", "price", "by its name"),
        ("a,b,c", "c", "the last column of numbers"),
        ("a,b,year_sold", "year_sold", "the last column of numbers"),
    ] {
        let (proposal, document) = of(&rows(header));
        assert_eq!(document.target.name, target);
        assert!(why(&proposal, target).1.starts_with(reason), "{proposal:?}");
        assert!(
            proposal.document.contains(&format!("chosen {reason}")),
            "{}",
            proposal.document
        );
    }
    let wish = |target| {
        let wishes = Wishes {
            target: Some(target),
            id: None,
        };
        made("rows.csv", rows("a,price,Cost").as_bytes(), wishes)
    };
    assert_eq!(why(&wish("a").unwrap(), "a"), ("target", "by --target"));
    let refused = wish("cost").unwrap_err().to_string();
    assert!(refused.contains("do you mean `Cost`?"), "{refused}");
}

/// Another column would be predicted, and nobody has said so.
#[test]
fn a_target_that_never_varies_is_not_passed_over_in_silence() {
    let rows = |header: &str, price: &str| {
        format!("{header}\n")
            + &(0..200)
                .map(|at| format!("{},{price},{}\n", at % 7, at % 13))
                .collect::<String>()
    };
    for (header, price, why) in [
        (
            "rooms,price,year",
            "5",
            "`price` is called as targets are, and it is 5 in every row",
        ),
        (
            "rooms,unit_price,year",
            "5",
            "`unit_price` is called as targets are, and it is 5 in every row",
        ),
        (
            "rooms,price,year",
            "5 EUR",
            "`price` is called as targets are, and it holds text, as `5 EUR`",
        ),
    ] {
        let refused = refusal(&rows(header, price));
        assert!(
            refused.contains(why) && refused.contains("as `--target year`"),
            "{refused}"
        );
        let wishes = Wishes {
            target: Some("year"),
            id: None,
        };
        assert!(made("rows.csv", rows(header, price).as_bytes(), wishes).is_ok());
    }
    // One that is called so, too, and can be predicted is; the other is told.
    let (proposal, document) = of(&rows("rooms,price,cost", "5"));
    assert_eq!(document.target.name, "cost");
    assert_eq!(
        proposal.notes[0],
        "`price` is not taken for the target: it is 5 in every row"
    );
    // A word of a name says less: text that is called so is no target that somebody has meant.
    let (_, document) = of(&rows("rooms,sale_type,year", "auction"));
    assert_eq!(document.target.name, "year");
}

#[test]
fn what_nothing_can_be_learned_from_is_told_with_what_to_do() {
    let text_target = "name,label\n".to_owned() + &"a,good\nb,bad\n".repeat(50);
    let ragged = "a,price\n".to_owned() + &"1,2\n1,2,3\n".repeat(50);
    let cases = [
        ("a header alone", "a,price\n".to_owned()),
        ("few rows", table("a", 12, |row| row.to_string())),
        ("no numbers", text_target),
        ("rows of other lengths", ragged),
        (
            "quotes",
            table(
                "a",
                60,
                |row| if row == 40 { "\"x".to_owned() } else { row.to_string() },
            ),
        ),
        (
            "a NUL",
            table("a", 60_000, |row| {
                if row == 59_000 {
                    "\0".to_owned()
                } else {
                    row.to_string()
                }
            }),
        ),
        ("ids alone", table("id", 100, |row| row.to_string())),
        ("one price", "a,price\n".to_owned() + &"1,5\n2,5\n".repeat(50)),
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|(case, text)| format!("{case}: {}", refusal(text)))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn rows_that_differ_in_a_date_alone_are_no_copies() {
    let text = table("date,store", 900, |row| {
        format!("2024-{:02}-{:02},{}", row / 28 % 12 + 1, row % 28 + 1, row % 3)
    })
    .lines()
    .enumerate()
    .map(|(at, row)| match (at, row.rsplit_once(',')) {
        (1.., Some((rest, _))) => format!("{rest},{}\n", at % 5),
        _ => format!("{row}\n"),
    })
    .collect::<String>();
    let (_, document) = of(&text);
    assert!(!document.cleaning.drop_duplicates);
}

#[test]
fn a_wide_table_stays_under_the_limit_of_features() {
    let names: Vec<String> = (0..40).map(|at| format!("c{at}")).collect();
    let text = table(&names.join(","), 1500, |row| {
        let words: Vec<String> = (0..40).map(|column| format!("w{}", (row + column * 7) % 90)).collect();
        words.join(",")
    });
    let (_, document) = of(&text);
    let most = document.features.max_categories as usize;
    assert!(most * 40 <= 2000 && most >= 45, "{most}");

    let names: Vec<String> = (0..1100).map(|at| format!("c{at}")).collect();
    let text = table(&names.join(","), 60, |row| {
        (0..1100)
            .map(|at| ((row * at) % 17).to_string())
            .collect::<Vec<_>>()
            .join(",")
    });
    let (proposal, document) = of(&text);
    assert!(document.schema.columns.len() <= 1000);
    assert!(
        proposal.notes.iter().any(|note| note.contains("left out")),
        "{:?}",
        proposal.notes
    );
}

#[test]
fn little_data_gets_a_larger_holdout_and_a_word() {
    let (proposal, document) = of(&table("a", 200, |row| (row % 50).to_string()));
    assert_eq!(document.split.holdout, 0.3);
    assert!(
        proposal.notes.iter().any(|note| note.contains("will be held")),
        "{:?}",
        proposal.notes
    );
    let (proposal, document) = of(&table("a", 2000, |row| (row * 31 % 1999).to_string()));
    assert_eq!(document.split.holdout, 0.15);
    assert_eq!(proposal.notes, Vec::<String>::new());
}

#[test]
fn what_a_file_loses_is_allowed_and_told() {
    // Each column lacks values, so that the one which lacks the fewest is required.
    let text = table("a,b", 1_000, |row| {
        let number = row * 31 % 397;
        match row % 10 {
            0..4 => format!(",{number}"),
            4..9 => format!("{number},"),
            _ => format!("{number},{number}"),
        }
    });
    let (proposal, document) = of(&text);
    assert_eq!(document.cleaning.max_dropped, 0.5, "{}", proposal.document);
    let told = "about 40 % of the rows are not trained on";
    assert!(
        proposal.notes.iter().any(|note| note.starts_with(told)),
        "{:?}",
        proposal.notes
    );
    let (_, document) = of(&table("a", 1_000, |row| (row * 31 % 397).to_string()));
    assert_eq!(document.cleaning.max_dropped, 0.2);
}

#[test]
fn copies_are_no_rows_of_the_holdout() {
    let once = table("a,b", 300, |row| format!("{},{}", row * 31 % 397, row % 7));
    let (header, rows) = once.split_once('\n').unwrap();
    let (proposal, document) = of(&format!("{header}\n{}", rows.repeat(20)));
    assert!(!document.cleaning.drop_duplicates);
    assert_eq!(document.split.holdout, 0.3);
    assert!(
        proposal
            .notes
            .iter()
            .any(|note| note.starts_with("about 90 different rows of the file")),
        "{:?}",
        proposal.notes
    );
}

fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (-1000i32..1000).prop_map(|it| it.to_string()),
        3 => any::<f64>().prop_map(|it| it.to_string()),
        3 => prop::sample::select(vec!["red", "yes", "No", "null", "NA", "?", "-", "", "true", "1,5", "007", "2024-01-31"]).prop_map(str::to_owned),
        2 => "\\PC{0,8}",
    ]
}

/// Some kinds of columns, each of some rows: what a row says is one of a few fields.
fn any_table() -> impl Strategy<Value = (Vec<String>, Vec<Vec<String>>, usize, bool)> {
    let column = prop::collection::vec(field(), 1..30);
    (
        prop::collection::vec("[a-zA-Z][\\PC]{0,8}|price|id|[ a-z:#'\"]{0,5}", 1..6),
        prop::collection::vec(column, 1..6),
        60usize..150,
        any::<bool>(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_table_gives_a_sound_document_or_a_reason((names, columns, rows, semicolons) in any_table()) {
        let mut builder = csv::WriterBuilder::new();
        let mut writer = builder.delimiter(if semicolons { b';' } else { b',' }).from_writer(Vec::new());
        let width = names.len().min(columns.len());
        let header: Vec<&str> = names[..width].iter().map(String::as_str).chain(["fuel", "sales"]).collect();
        writer.write_record(&header).unwrap();
        for row in 0..rows {
            let fields = columns[..width].iter().enumerate().map(|(at, column)| column[(row * (at + 1)) % column.len()].clone());
            let own = [["gas", "diesel"][row % 2].to_owned(), (row * 37 % 101).to_string()];
            writer.write_record(fields.chain(own).collect::<Vec<_>>()).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        match made("rows.csv", &bytes, Wishes { target: Some("sales"), id: None }) {
            Ok(proposal) => {
                let document = document::parse("rows.yaml", &proposal.document);
                prop_assert!(document.is_ok(), "{document:?}");
                let again = made("rows.csv", &bytes, Wishes { target: Some("sales"), id: None }).unwrap();
                prop_assert_eq!(proposal.document, again.document);
            }
            // A header may be taken for a row, or name the target twice; never is a document unsound.
            Err(error) => prop_assert!(!error.to_string().contains("unsound"), "{error}"),
        }
    }
}
