//! Conversion of lines of capture files to rows of the analyzer's input and of reporting.

use crate::record::{Output, Requested, Shape};
use crate::skipped::{Reason, Skips};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;

/// A captured request. Strings without escapes are borrowed.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "captureData", borrow)]
    data: CaptureData<'a>,
    #[serde(rename = "eventMetadata", borrow)]
    event: Event<'a>,
}

#[derive(Deserialize)]
struct CaptureData<'a> {
    #[serde(rename = "endpointInput", borrow, default)]
    input: Option<Side<'a>>,
    #[serde(rename = "endpointOutput", borrow, default)]
    output: Option<Side<'a>>,
}

#[derive(Deserialize)]
struct Side<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
    #[serde(borrow)]
    encoding: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "inferenceId", borrow, default)]
    inference_id: Option<Cow<'a, str>>,
    #[serde(rename = "eventId", borrow, default)]
    event_id: Option<Cow<'a, str>>,
    #[serde(rename = "inferenceTime")]
    time: Timestamp,
}

/// A row of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Row<'a> {
    /// A row without quotes: its fields are the texts between commas.
    Plain(&'a str),
    /// A row whose fields were parsed and unquoted.
    Parsed(csv::StringRecord),
}

/// Converts complete lines of an endpoint's capture file; `first` is the number of the first line, from 1.
pub fn endpoint_lines(shape: &Shape, file: &str, text: &[u8], first: u64, output: &mut Output) {
    let mut begin = 0;
    let ends = memchr::memchr_iter(b'\n', text).chain([text.len()]);
    for (number, end) in (first..).zip(ends) {
        let line = &text[begin.min(end)..end];
        begin = end + 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = || format!("{file}:{number}");
        let mut skips = Skips::default();
        if let Err((reason, rows)) = request(shape, file, line, output, &mut skips) {
            skips.add(reason, rows, place);
        }
        // Rows of the request that were left out one by one are reported with the line of the request.
        skips.place(place);
        output.skips.merge(skips);
    }
}

fn request(
    shape: &Shape,
    file: &str,
    line: &[u8],
    output: &mut Output,
    skips: &mut Skips,
) -> Result<(), (Reason, u64)> {
    let line: Line = serde_json::from_slice(line).map_err(|_| (Reason::NoRecord, 1))?;
    let id = line
        .event
        .inference_id
        .filter(|id| !id.is_empty())
        .or(line.event.event_id);
    let id = id.ok_or((Reason::NoRecord, 1))?;
    let (Some(asked), Some(answered)) = (&line.data.input, &line.data.output) else {
        return Err((Reason::OneSided, 1));
    };
    let (asked, answered) = (asked.text()?, answered.text()?);
    let rows = csv_rows(&asked);
    let lines = answered.lines().map(str::trim).filter(|line| !line.is_empty());
    let answers: Vec<&str> = lines.collect();
    if rows.len() != answers.len() {
        return Err((Reason::Answers, (rows.len() as u64).max(1)));
    }
    let (request, first) = part(&id);
    let requested = Requested::by_endpoint(shape, file, request, line.event.time);
    for (number, (row, answer)) in (first..).zip(rows.iter().zip(answers)) {
        let written = match row {
            Row::Plain(text) => output.plain(shape, &requested, number, text, answer),
            Row::Parsed(fields) => output.parsed(shape, &requested, number, fields.iter(), answer),
        };
        if let Err(reason) = written {
            skips.add(reason, 1, String::new);
        }
    }
    Ok(())
}

/// The request that an id belongs to, and the number of its first row. When a request is too wide for one call,
/// `invoke-endpoints` makes several calls, whose ids are `<request>+<row>` from the second on.
fn part(id: &str) -> (&str, usize) {
    let first = |number: &str| {
        let plain = (1..=3).contains(&number.len()) && number.bytes().all(|it| it.is_ascii_digit());
        number.parse().ok().filter(|_| plain && !number.starts_with('0'))
    };
    let part = id.rsplit_once('+').filter(|(request, _)| !request.is_empty());
    part.and_then(|(request, number)| Some((request, first(number)?)))
        .unwrap_or((id, 0))
}

impl Side<'_> {
    fn text(&self) -> Result<Cow<'_, str>, (Reason, u64)> {
        match &*self.encoding {
            "CSV" => Ok(Cow::Borrowed(&self.data)),
            "BASE64" => {
                let bytes = BASE64_STANDARD.decode(self.data.as_bytes());
                let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
                text.map(Cow::Owned).ok_or((Reason::NoCsv, 1))
            }
            _ => Err((Reason::NoCsv, 1)),
        }
    }
}

/// The rows of a CSV text without a header; blank lines are ignored.
pub(crate) fn csv_rows(text: &str) -> Vec<Row<'_>> {
    // A carriage return may also end a row.
    if memchr::memchr2(b'"', b'\r', text.as_bytes()).is_none() {
        let lines = text.split('\n').filter(|line| !line.trim().is_empty());
        return lines.map(Row::Plain).collect();
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let records = reader.records().map_while(Result::ok);
    records
        .filter(|record| record.len() != 1 || !record[0].trim().is_empty())
        .map(Row::Parsed)
        .collect()
}

/// Converts complete rows of a scoring run's capture file, without its header; `first` is the number of the first line,
/// from 1. `request` is the run, and `time` is when the file was written.
pub fn batch_rows(
    shape: &Shape,
    file: &str,
    request: &str,
    time: Timestamp,
    text: &[u8],
    first: u64,
    output: &mut Output,
) {
    let requested = Requested::by_batch(shape, file, request, time);
    let columns = shape.columns().len();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    let mut row = csv::ByteRecord::new();
    // Reading from text in memory can't fail.
    while reader.read_byte_record(&mut row).unwrap_or(false) {
        let line = row.position().map_or(first, |position| first + position.line() - 1);
        let written = if row.iter().any(|field| std::str::from_utf8(field).is_err()) {
            Err(Reason::NoText)
        } else if row.len() != columns + 2 {
            Err(Reason::Fields)
        } else {
            let mut fields = row.iter().map(|field| std::str::from_utf8(field).unwrap_or_default());
            let id = fields.next().unwrap_or_default();
            let answer = std::str::from_utf8(&row[columns + 1]).unwrap_or_default();
            output.named(shape, &requested, id, fields.take(columns), answer.trim())
        };
        if let Err(reason) = written {
            output.skips.add(reason, 1, || format!("{file}:{line}"));
        }
    }
}

/// Counts the rows of a scoring run's capture file that can't be assigned to the champion as left out.
pub fn foreign_rows(file: &str, text: &[u8], first: u64, output: &mut Output) {
    let lines = text.split(|byte| *byte == b'\n');
    let rows = lines.filter(|line| !line.trim_ascii().is_empty()).count() as u64;
    if rows > 0 {
        output.skips.add(Reason::Columns, rows, || format!("{file}:{first}"));
    }
}

/// Whether the header of a batch file matches the champion's columns.
pub fn is_batch_header(shape: &Shape, header: &[u8]) -> bool {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(header);
    let mut row = csv::StringRecord::new();
    let read = reader.read_record(&mut row).unwrap_or(false);
    let wanted = std::iter::once("id")
        .chain(shape.columns().iter().map(String::as_str))
        .chain(["prediction"]);
    read && row.iter().map(|name| name.trim_start_matches('\u{feff}')).eq(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::reporting::PredictionRow;
    use proptest::prelude::*;
    use serde_json::json;
    use std::io::Read as _;

    fn shape() -> Shape {
        let columns = ["year", "fuel", "note"].map(str::to_owned).to_vec();
        Shape::new("m\"1", "20261120t000000z-ab12cd34", "conf", columns)
    }

    fn line(input: &str, output: &str) -> String {
        let data = json!({
            "endpointInput": {"data": input, "encoding": "CSV", "mode": "INPUT", "observedContentType": "text/csv"},
            "endpointOutput": {"data": BASE64_STANDARD.encode(output), "encoding": "BASE64", "mode": "OUTPUT"},
        });
        let event = json!({"eventId": "e", "inferenceId": "r", "inferenceTime": "2026-11-22T18:00:00Z"});
        json!({"captureData": data, "eventMetadata": event, "eventVersion": "0"}).to_string()
    }

    fn records(output: Output) -> Vec<PredictionRow> {
        let packed = output.finish().records;
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(&packed[..])
            .read_to_string(&mut text)
            .unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn of_lines(text: &str) -> Output {
        let mut output = Output::new();
        endpoint_lines(&shape(), "s3://b/f.jsonl", text.as_bytes(), 1, &mut output);
        output
    }

    #[test]
    fn rows_of_a_request_of_several_calls_are_numbered_through() {
        for (id, ids) in [
            ("r", ["r#0", "r#1"]),
            ("r+120", ["r#120", "r#121"]),
            ("a+b+5", ["a+b#5", "a+b#6"]),
            ("r+0", ["r+0#0", "r+0#1"]),
            ("r+01", ["r+01#0", "r+01#1"]),
            ("r+1000", ["r+1000#0", "r+1000#1"]),
            ("r+x", ["r+x#0", "r+x#1"]),
            ("+5", ["+5#0", "+5#1"]),
        ] {
            let line = line("2015,gas,x\n2016,,\n", "1.5\n2\n");
            let found = records(of_lines(&line.replace("\"r\"", &format!("\"{id}\""))));
            assert_eq!([&*found[0].id, &*found[1].id], ids, "{id}");
            assert_eq!(found[0].request, ids[0].split('#').next().unwrap(), "{id}");
        }
    }

    #[test]
    fn payloads_are_read_as_people_write_them() {
        for text in [
            "2015,gas,x\n2016,,\n",
            "2015,gas,x\r\n2016,,",
            "\n2015,\"gas\",x\n\n2016,,\n",
        ] {
            let records = records(of_lines(&line(text, "1.5\n2\n")));
            let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
            assert_eq!(ids, ["r#0", "r#1"], "{text:?}");
            assert_eq!(records[0].features.len(), 3);
            assert_eq!(records[1].features.len(), 1, "missing values are left out");
            assert_eq!((records[0].prediction, records[1].prediction), (1.5, 2.0));
        }
    }

    #[test]
    fn what_is_left_out_is_counted_at_its_first_line() {
        let one_sided = r#"{"captureData":{"endpointInput":{"data":"","encoding":"CSV"}},"eventMetadata":{"eventId":"e","inferenceTime":"2026-11-22T18:00:00Z"}}"#;
        let text = [
            "no".to_owned(),
            line("2015,gas,x\n", "1\n2\n"),
            line("2015,gas\n2016,gas,y\n2017\n", "1\n2\n3\n"),
            line("2015,gas,x\n", "inf\n"),
            one_sided.to_owned(),
        ]
        .join("\n");
        let piece = of_lines(&text).finish();
        assert_eq!(piece.count, 1);
        let told: Vec<String> = piece
            .skips
            .told()
            .into_iter()
            .map(|skipped| format!("{} {} {}", skipped.rows, skipped.reason, skipped.first))
            .collect();
        insta::assert_debug_snapshot!(told, @r#"
        [
            "2 the row has another number of fields than the champion has columns s3://b/f.jsonl:3",
            "1 the answer is no number s3://b/f.jsonl:4",
            "1 the line is no captured record s3://b/f.jsonl:1",
            "1 the line lacks its input or its output s3://b/f.jsonl:5",
            "1 there are not as many answers as rows s3://b/f.jsonl:2",
        ]
        "#);
    }

    #[test]
    fn a_batch_file_names_its_rows() {
        let shape = shape();
        assert!(is_batch_header(&shape, b"\xef\xbb\xbfid,year,fuel,note,prediction\r\n"));
        assert!(!is_batch_header(&shape, b"id,fuel,year,note,prediction\n"));
        let mut output = Output::new();
        let text = b"run#0,2015,gas,\"a, \"\"b\"\"\",10\nrun#1,2015,gas\nrun#2,\xff,gas,x,10\nrun#3,2015,gas,x,ten\n";
        let time = Timestamp::UNIX_EPOCH;
        batch_rows(&shape, "f.csv", "run", time, text, 2, &mut output);
        let told = output.skips.clone().told();
        assert_eq!(
            told.iter().map(|it| it.first.as_str()).collect::<Vec<_>>(),
            ["f.csv:5", "f.csv:3", "f.csv:4"]
        );
        let data = String::from_utf8(output.data.clone()).unwrap();
        assert_eq!(data, "2015,gas,\"a, \"\"b\"\"\",10\n");
        let records = records(output);
        assert_eq!((records[0].id.as_str(), records[0].source.as_str()), ("run#0", "batch"));
        assert_eq!(records[0].features["note"], "a, \"b\"");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Values of any content are the same in both outputs as in the input.
        #[test]
        fn values_come_through(rows in prop::collection::vec(("[ -~é\n\"\\\\,]{0,8}", "[ -~\r]{0,8}", "x{1,2}", -1e9..1e9_f64), 1..5)) {
            let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            for (one, two, three, _) in &rows {
                writer.write_record([one, two, three]).unwrap();
            }
            let input = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let answers: String = rows.iter().map(|row| format!("{}\n", row.3)).collect();
            let output = of_lines(&line(&input, &answers));
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&output.data[..]);
            let data: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            let records = records(output);
            prop_assert_eq!(data.len(), rows.len());
            for (number, (one, two, three, answer)) in rows.iter().enumerate() {
                prop_assert_eq!(data[number].iter().collect::<Vec<_>>(), [one.as_str(), two, three, &answer.to_string()]);
                let features = &records[number].features;
                prop_assert_eq!(features.get("year").map_or("", String::as_str), one);
                prop_assert_eq!(features.get("fuel").map_or("", String::as_str), two);
                prop_assert_eq!(records[number].prediction, *answer);
                prop_assert_eq!(&records[number].model, "m\"1");
            }
        }

        #[test]
        fn no_line_is_too_odd(text in "\\PC{0,60}") {
            let output = of_lines(&text);
            prop_assert_eq!(output.count, 0);
        }
    }
}
