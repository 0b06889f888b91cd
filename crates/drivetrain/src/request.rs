//! Makes requests of files: rows in the form that the prediction API takes, of files written as the document says.

use anyhow::{Context, Result, bail};
use contracts::use_case::{Column, ColumnType, Encoding, Input, UseCase};
use contracts::words;
use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use files::{Broken, Kind, Numbers, TextStream};
use serde_json::{Value, json};

/// How much is unpacked of a compressed file: more than any request has.
const MAX_BYTES: u64 = 64 << 20;

/// The rows of a file.
#[derive(Debug)]
pub enum Rows {
    /// A request in the API's JSON.
    Json(Vec<u8>),
    /// Rows of CSV.
    Csv(Table),
}

/// Rows of CSV with their header.
#[derive(Debug)]
pub struct Table {
    file: String,
    header: Vec<String>,
    /// Each row with its line in the file.
    rows: Vec<(u64, StringRecord)>,
}

/// A request made of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Csv {
    /// A header and rows in the API's form: commas, decimal points, UTF-8.
    pub body: Vec<u8>,
    /// The table's columns that the request leaves out.
    pub left_out: Vec<String>,
}

impl Rows {
    /// Reads a file: JSON, JSON lines, or CSV as the document's `input` describes it.
    ///
    /// # Errors
    /// It can't be read so; the text names the file and says what to do.
    pub fn read(file: &str, bytes: &[u8], input: &Input) -> Result<Self> {
        let bytes = text(file, bytes, Encoding::Utf8)?;
        let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        match json.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => bail!("there are no rows: {file} is empty"),
            Some(b'{' | b'[') => json_request(file, json).map(Self::Json),
            Some(_) => {
                let text = text(file, &bytes, input.encoding)?;
                Table::read(file, &text, input).map(Self::Csv)
            }
        }
    }
}

/// The bytes of a file, decompressed and converted to UTF-8.
fn text(file: &str, bytes: &[u8], encoding: Encoding) -> Result<Vec<u8>> {
    match TextStream::new(encoding, MAX_BYTES).text(bytes, true) {
        Ok(text) => Ok(text),
        Err(Broken::TooLarge) => bail!("{file} is too large for a request: `drivetrain score` takes whole files"),
        Err(Broken::Kind(Kind::Parquet)) => bail!(
            "{file} is a Parquet file, which `predict` doesn't read: `drivetrain score` takes it; or save some rows as CSV"
        ),
        Err(broken @ Broken::Kind(_)) => bail!("{file} {broken}: save its table as CSV"),
        Err(broken) => bail!("{file} {broken}"),
    }
}

/// Brings JSON into the API's form.
fn json_request(file: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(bytes).into_iter().collect();
    let mut values = values.with_context(|| format!("{file} begins like JSON, but is not valid JSON"))?;
    let body = match values.as_mut_slice() {
        [whole] if whole.get("instances").is_some() => whole.take(),
        [rows @ Value::Array(_)] => json!({"instances": rows}),
        rows => json!({"instances": rows}),
    };
    Ok(body.to_string().into_bytes())
}

impl Table {
    fn read(file: &str, bytes: &[u8], input: &Input) -> Result<Self> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(error) => {
                let line = 1 + bytes[..error.valid_up_to()].iter().filter(|it| **it == b'\n').count();
                bail!(
                    "line {line} of {file} is not text in UTF-8: save the file in UTF-8, or say in the document how such \
                     files are encoded (`input.encoding`)"
                )
            }
        };
        let delimiter = u8::try_from(input.delimiter).context("`input.delimiter` is no ASCII character")?;
        if let Some(start) = files::unclosed(text.as_bytes(), delimiter) {
            bail!("line {} of {file} opens quotes that nothing closes", start.line);
        }
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        let mut records = reader.records();
        let header = records.next().transpose()?.unwrap_or_default();
        let mut rows = Vec::new();
        for row in records {
            let row = row?;
            let line = files::row_start(text.as_bytes(), row.position()).line;
            if row.len() != header.len() {
                bail!(
                    "line {line} of {file} has {}, its header {}: put quotes around fields that hold `{}`",
                    words::counted(row.len() as u64, "field", "fields"),
                    words::count(header.len() as u64),
                    input.delimiter.escape_debug()
                );
            }
            rows.push((line, row));
        }
        if rows.is_empty() {
            bail!("{file} has no rows below its header");
        }
        Ok(Self {
            file: file.to_owned(),
            header: header.iter().map(|name| name.trim().to_owned()).collect(),
            rows,
        })
    }

    /// Whether the table has a column that the document doesn't have.
    pub fn has_others(&self, document: &UseCase) -> bool {
        self.header.iter().any(|name| column(document, name).is_none())
    }

    /// Makes a request. Like files to score, a table may have columns that the document doesn't have; here they are left
    /// out. Those in `former`, which only champions know, are not.
    ///
    /// # Errors
    /// No column is the document's, or a number isn't written with the document's marks.
    pub fn request(&self, document: &UseCase, former: &[String]) -> Result<Csv> {
        let input = &document.input;
        if self.header.iter().all(|name| column(document, name).is_none()) {
            bail!(
                "the first line of {} names no column of the document ({}). It is read as `{}`: in the document, fields \
                 are separated by `{}` and text is in {} (`input`)",
                self.file,
                words::list(document.columns().iter().map(String::as_str)),
                words::name(&self.header.join(" | ")),
                input.delimiter.escape_debug(),
                input.encoding.as_str()
            );
        }
        // How a former column was to be read is not known here. With the API's own marks nothing needs to be.
        let numbers = Numbers::new(input);
        let marked = input.decimal != '.' || input.thousands.is_some();
        let (mut sent, mut left_out) = (Vec::new(), Vec::new());
        for (at, name) in self.header.iter().enumerate() {
            let column = column(document, name);
            if column.is_some() || !marked && former.contains(name) {
                sent.push((at, column));
            } else {
                left_out.push(name.clone());
            }
        }
        let mut writer = WriterBuilder::new().from_writer(Vec::new());
        writer.write_record(sent.iter().map(|(at, _)| &self.header[*at]))?;
        let mut mistakes: Vec<(&str, String)> = Vec::new();
        for (line, row) in &self.rows {
            let mut fields = Vec::new();
            for (at, column) in &sent {
                let field = row.get(*at).unwrap_or_default();
                let cell = match column {
                    Some(column) if marked => cell(column, &numbers, field),
                    _ if numbers.is_missing(field) => Some(String::new()),
                    _ => Some(field.to_owned()),
                };
                let name = self.header[*at].as_str();
                if cell.is_none() && mistakes.iter().all(|(known, _)| *known != name) {
                    mistakes.push((name, format!("`{}` in line {line}", words::name(field))));
                }
                fields.push(cell.unwrap_or_default());
            }
            writer.write_record(&fields)?;
        }
        if !mistakes.is_empty() {
            let told = mistakes.iter().map(|(name, what)| format!("\n  {name}: {what}"));
            bail!(
                "{} has numbers that are not written as the document says (`input`: decimal mark `{}`{}):{}",
                self.file,
                input.decimal,
                input
                    .thousands
                    .map_or_else(String::new, |mark| format!(", thousands `{mark}`")),
                told.collect::<String>()
            );
        }
        let body = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        Ok(Csv { body, left_out })
    }
}

fn column<'a>(document: &'a UseCase, name: &str) -> Option<&'a Column> {
    document.schema.columns.iter().find(|column| column.name == name)
}

/// A field as the API reads it; `None` for a number that isn't written with the document's marks.
fn cell(column: &Column, numbers: &Numbers, field: &str) -> Option<String> {
    if numbers.is_missing(field) {
        return Some(String::new());
    }
    let number = numbers.read(field).map(|number| number.to_string());
    match column.kind {
        ColumnType::Integer | ColumnType::Number => number,
        ColumnType::Boolean => Some(number.unwrap_or_else(|| field.to_owned())),
        ColumnType::Category => Some(field.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn document(input: &Value) -> UseCase {
        let document = json!({
            "use_case": "flats", "input": input, "target": {"name": "rent"}, "models": [],
            "schema": {"columns": [{"name": "area", "type": "number"}, {"name": "rooms", "type": "integer"},
                                   {"name": "district", "type": "category"}]},
        });
        serde_json::from_value(document).unwrap()
    }

    fn csv(bytes: &[u8], document: &UseCase, former: &[&str]) -> Result<(String, Vec<String>)> {
        let former: Vec<String> = former.iter().map(|name| (*name).to_owned()).collect();
        let Rows::Csv(table) = Rows::read("flats.csv", bytes, &document.input)? else {
            panic!("it is no JSON")
        };
        let request = table.request(document, &former)?;
        Ok((String::from_utf8(request.body).unwrap(), request.left_out))
    }

    #[test]
    fn every_form_of_json_becomes_a_request() {
        let made = |text: &str| match Rows::read("a", text.as_bytes(), &Input::default()).unwrap() {
            Rows::Json(body) => String::from_utf8(body).unwrap(),
            Rows::Csv(table) => panic!("{table:?}"),
        };
        let one = r#"{"instances":[{"year":2015}]}"#;
        assert_eq!(made("{\"year\": 2015}\n"), one);
        assert_eq!(made("[{\"year\": 2015}]"), one);
        assert_eq!(made("\u{feff}{\"instances\": [{\"year\": 2015}]}"), one);
        assert_eq!(
            made("{\"year\": 2015}\n{\"year\": 2016}\n"),
            r#"{"instances":[{"year":2015},{"year":2016}]}"#
        );
        assert!(Rows::read("a", b"  \n", &Input::default()).is_err());
        assert!(Rows::read("a", b"{\"year\": }", &Input::default()).is_err());
    }

    #[test]
    fn columns_that_the_document_does_not_have_are_left_out_and_named_once() {
        let document = document(&json!({}));
        let rows = b"id,area,listed_on,rooms,rent\n1,50.5,2026-01-01,2,900\n2,NA,2026-01-02,3,950\n";
        let (body, left_out) = csv(rows, &document, &[]).unwrap();
        assert_eq!(body, "area,rooms\n50.5,2\n,3\n");
        assert_eq!(left_out, ["id", "listed_on", "rent"]);
        let (body, left_out) = csv(b"area,floor\n50,3\n", &document, &["floor"]).unwrap();
        assert_eq!((body.as_str(), left_out.len()), ("area,floor\n50,3\n", 0));
        let none = csv(b"area;rooms\n50;3\n", &document, &[]).unwrap_err().to_string();
        assert!(
            none.contains("(area, rooms, district)") && none.contains("separated by `,`"),
            "{none}"
        );
    }

    #[test]
    fn a_file_is_read_as_the_document_says() {
        let document = document(
            &json!({"delimiter": ";", "decimal": ",", "thousands": ".", "encoding": "cp1252",
                                         "missing": ["?"]}),
        );
        let rows = b"area;rooms;district\n1.050,5;2;K\xf6ln, Mitte\n?;3;Bonn\n";
        let made = "area,rooms,district\n1050.5,2,\"Köln, Mitte\"\n,3,Bonn\n";
        assert_eq!(csv(rows, &document, &[]).unwrap().0, made);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(rows).unwrap();
        assert_eq!(csv(&packed.finish().unwrap(), &document, &[]).unwrap().0, made);
        let wrong = csv(b"area;rooms\n50.5;2\n60.5;2\n", &document, &[])
            .unwrap_err()
            .to_string();
        assert!(
            wrong.contains("decimal mark `,`") && wrong.ends_with("\n  area: `50.5` in line 2"),
            "{wrong}"
        );
    }

    #[test]
    fn what_can_not_be_read_is_told_in_the_files_own_terms() {
        let document = document(&json!({}));
        for (bytes, told) in [
            (
                &b"area,district\n50,a\n60,b,c\n"[..],
                "line 3 of flats.csv has 3 fields, its header 2",
            ),
            (
                b"area,district\n50,K\xf6ln\n",
                "line 2 of flats.csv is not text in UTF-8",
            ),
            (b"area,district\n50,\"a\n", "line 2 of flats.csv opens quotes"),
            (b"area,district\n", "has no rows"),
            (b"PAR1", "is a Parquet file"),
            (b"PK\x03\x04", "is a zip archive"),
        ] {
            let error = csv(bytes, &document, &[]).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
