//! Files as people have them: declared formats train and score, others are refused with the line to add to the
//! document.

use crate::case::Case;
use crate::data;
use contracts::Verdict;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

/// 300 cars, with numeric columns, nulls and a dictionary.
const PARQUET: &[u8] = include_bytes!("files/cars.parquet");

/// What Excel saves in Poland, compressed: semicolons, decimal commas, cp1250.
fn polish(csv: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    for (number, line) in csv.lines().enumerate() {
        let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        if number > 0 {
            fields[1] += ",5";
        }
        // The only letters that are not ASCII, in a color.
        let line = fields.join(";").replace("white", "ż\u{f3}łty");
        let bytes: Vec<u8> = line
            .chars()
            .map(|letter| match letter {
                'ż' => 0xbf,
                'ł' => 0xb3,
                other => u8::try_from(u32::from(other)).unwrap(),
            })
            .collect();
        packed.write_all(&bytes).unwrap();
        packed.write_all(b"\r\n").unwrap();
    }
    packed.finish().unwrap()
}

const DECLARED: (&str, &str) = (
    "target: {",
    "input: { delimiter: \";\", decimal: \",\", encoding: cp1250 }\ntarget: {",
);

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn what_is_declared_trains_and_scores() {
    let case = Case::with("dialect", "one-model.yaml", &[DECLARED]).await;
    let run = case.drop("cars.csv.gz", polish(&data::cars(400))).await;
    let ended = case.succeeded(&run.id).await;
    assert_eq!(ended.decisions["xgboost"].decision, Some(Verdict::Exported));

    let stock = case.score("stock.csv.gz", polish(&data::cars(420))).await;
    let scored = case.scored(&stock, "stock.csv").await;
    assert_eq!((scored.summary.scored, scored.summary.rejected), (420, 0));
    assert!(scored.rows[0]["mileage_km"].ends_with(",5"), "fields stay as they came");
    assert!(scored.rows.iter().any(|row| row["color"] == "żółty"));

    // Numbers in a Parquet file have no decimal commas.
    let stock = case.score("stock.parquet", PARQUET).await;
    let scored = case.scored(&stock, "stock.csv").await;
    assert_eq!((scored.summary.scored, scored.summary.rejected), (300, 0));
    let run = case.drop("cars.parquet", PARQUET).await;
    case.succeeded(&run.id).await;
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn what_is_not_declared_is_refused_with_the_line_to_add() {
    let case = Case::new("undecl", "one-model.yaml").await;
    case.drop("cars.csv.gz", polish(&data::cars(40))).await;
    let mail = case
        .mail("the refusal", |mail| mail.subject.contains("cars.csv.gz was refused"))
        .await;
    assert!(mail.message.contains("`input: { encoding: cp1250 }`"), "{mail:?}");

    // These pass the first look.
    let commas: String = data::cars(60)
        .lines()
        .enumerate()
        .map(|(number, line)| {
            let fields: Vec<&str> = line.split(',').collect();
            let mileage = if number == 0 {
                fields[1].to_owned()
            } else {
                format!("\"{},5\"", fields[1])
            };
            format!("{},{mileage},{},{},{}\n", fields[0], fields[2], fields[3], fields[4])
        })
        .collect();
    let run = case.drop("commas.csv", commas).await;
    case.failed(&run.id).await;
    let mail = case.end_mail(&run.id).await;
    assert!(
        mail.message
            .contains("UnreadableValues: commas.csv: 60 of 60 values of `mileage_km`"),
        "{mail:?}"
    );
    assert!(mail.message.contains("`input: { decimal: \",\" }`"), "{mail:?}");
    assert_eq!(case.champion("xgboost").await, None);

    // A few unreadable values are reported, and the file is trained on.
    let few = data::cars(400).replacen(",red,", ",red,x", 3);
    let run = case.drop("few.csv", few).await;
    case.succeeded(&run.id).await;
    let mail = case.end_mail(&run.id).await;
    assert!(
        mail.message.contains("3 of 400 values of `price` didn't read: `x"),
        "{mail:?}"
    );
    case.finish().await;
}
