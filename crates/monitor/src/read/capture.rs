//! Reads captured data into profiles: lines with the requests to an endpoint or batch transform and the responses.
//!
//! Values that are given by position get the names of the baseline. The values of the output come before or after those
//! of the input, as the contract's `output_columns_position` says. If there are more values than names, the project
//! goes beyond the contract: the names apply to the input, and the output is `prediction`, or `prediction_0` and so on
//! if it has several values. Without names, they are `_c0` and so on. Members of JSON objects keep their own names.

mod payload;

use super::blocks::Block;
use super::cells::{Batch, Place};
use super::engine::Parse;
use super::error::Error;
use super::json_lines::{Columns, Late};
use super::options::OutputPosition;
use crate::profile::{Form, Notes, Oddity, Profile};
use payload::{Payload, Values};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Number of values in a batch: as many as stay in the cache, with their text, while it is read column by column.
const BATCH_VALUES: usize = 20_000;
/// Number of lines that are searched for the number of values.
const FIRST_LINES: usize = 1000;

const FORM: Form = Form {
    quotes: true,
    empty_is_missing: true,
};

/// How positional values are assigned to columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    first_input: usize,
    inputs: usize,
    first_output: usize,
    outputs: usize,
}

/// How the lines are read.
pub(super) struct Capture {
    pub files: Vec<PathBuf>,
    pub index_names: Vec<String>,
    pub layout: Layout,
    pub late: Late,
    pub segment: Option<usize>,
}

#[derive(Default)]
pub(super) struct Scratch {
    batch: Batch,
    columns: Columns,
    record: Record,
}

/// The members of a line that are used here.
#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow, rename = "captureData")]
    data: Parts<'l>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parts<'l> {
    #[serde(borrow, default)]
    endpoint_input: Option<Payload<'l>>,
    #[serde(borrow, default)]
    endpoint_output: Option<Payload<'l>>,
    #[serde(borrow, default)]
    batch_transform_input: Option<Payload<'l>>,
    #[serde(borrow, default)]
    batch_transform_output: Option<Payload<'l>>,
}

/// The rows of a line, in reused memory.
#[derive(Default)]
struct Record {
    input: Values,
    output: Values,
}

impl Record {
    /// Reads a line, which is a part of `text`.
    fn read(
        &mut self,
        line: &[u8],
        text: &[u8],
        index_names: &[String],
        side: &mut Vec<u8>,
        side_start: usize,
    ) -> Result<(), Cow<'static, str>> {
        self.input.clear();
        self.output.clear();
        let parts = match serde_json::from_slice::<Line<'_>>(line) {
            Ok(line) => line.data,
            Err(error) => {
                let text = error.to_string();
                let what = text.split(" at line ").next().unwrap_or_default();
                return Err(format!("{}: not a line of captured data: {what}", error.column()).into());
            }
        };
        let mut found = false;
        for name in index_names {
            let (part, values) = match name.as_str() {
                "endpointInput" => (&parts.endpoint_input, &mut self.input),
                "endpointOutput" => (&parts.endpoint_output, &mut self.output),
                "batchTransformInput" => (&parts.batch_transform_input, &mut self.input),
                "batchTransformOutput" => (&parts.batch_transform_output, &mut self.output),
                _ => continue,
            };
            if let Some(part) = part
                && values.rows() == 0
            {
                found = true;
                values
                    .read(part, text, side, side_start)
                    .map_err(|what| format!("1: {name}: {what}"))?;
            }
        }
        if !found {
            return Err(format!("1: captureData has none of {}", index_names.join(", ")).into());
        }
        let (inputs, outputs) = (self.input.rows(), self.output.rows());
        if outputs == 1 && inputs > 1 && self.output.places.len() == inputs {
            self.output.turn();
        } else if inputs == 0 && outputs == 0 {
            return Err("1: there is no value".into());
        } else if inputs != outputs && inputs > 0 && outputs > 0 {
            return Err(format!("1: the input has {inputs} rows, and the output has {outputs}").into());
        }
        Ok(())
    }

    fn rows(&self) -> usize {
        self.input.rows().max(self.output.rows())
    }

    fn named(&self) -> impl Iterator<Item = &(usize, Vec<u8>, Place)> {
        self.output.named.iter().chain(&self.input.named)
    }
}

/// The columns of the first lines, and the values that they hold.
pub(super) fn layout(
    block: &Block,
    index_names: &[String],
    position: OutputPosition,
    names: Option<&[String]>,
) -> (Layout, Vec<String>) {
    let text = block.text.get(..block.len).unwrap_or_default();
    let mut record = Record::default();
    let mut side = Vec::new();
    let (mut inputs, mut outputs) = (None, None);
    let mut named = BTreeSet::new();
    for line in text.split(|it| *it == b'\n').take(FIRST_LINES) {
        side.clear();
        if line.trim_ascii().is_empty() || record.read(line, text, index_names, &mut side, 0).is_err() {
            continue;
        }
        for (values, count) in [(&record.input, &mut inputs), (&record.output, &mut outputs)] {
            if values.rows() > 0 && count.is_none() {
                *count = Some(values.row(0).len());
            }
        }
        for (_, name, _) in record.named() {
            if !named.contains(name) {
                named.insert(name.clone());
            }
        }
    }
    let (inputs, outputs) = (inputs.unwrap_or(0), outputs.unwrap_or(0));
    let (first_input, first_output) = match position {
        OutputPosition::Start => (outputs, 0),
        OutputPosition::End => (0, inputs),
    };
    let layout = Layout {
        first_input,
        inputs,
        first_output,
        outputs,
    };
    let mut all = positional_names(layout, names);
    for name in named {
        let name = String::from_utf8_lossy(&name).into_owned();
        if !all.contains(&name) {
            all.push(name);
        }
    }
    (layout, all)
}

fn positional_names(layout: Layout, names: Option<&[String]>) -> Vec<String> {
    let count = layout.inputs + layout.outputs;
    let known = names.unwrap_or_default();
    let unnamed = |at: usize| known.get(at).cloned().unwrap_or_else(|| format!("_c{at}"));
    if known.is_empty() || known.len() >= count {
        return (0..count).map(unnamed).collect();
    }
    let inputs = (0..layout.inputs).map(unnamed);
    let outputs = (0..layout.outputs).map(|at| match layout.outputs {
        1 => "prediction".to_owned(),
        _ => format!("prediction_{at}"),
    });
    if layout.first_output == 0 {
        outputs.chain(inputs).collect()
    } else {
        inputs.chain(outputs).collect()
    }
}

impl Parse for Capture {
    type Scratch = Scratch;

    fn parse(&self, block: &mut Block, scratch: &mut Scratch, profile: &mut Profile) -> Result<(), Error> {
        let path = self.files.get(block.file).map_or(Path::new(""), PathBuf::as_path);
        super::text::repair(block, path, &mut profile.notes);
        scratch.columns.follow(profile);
        scratch.batch.side.clear();
        scratch.batch.cells.clear(profile.columns.len());
        let mut at = 0;
        while at < block.len {
            let new = self.batch(block, &mut at, scratch, &mut profile.notes, path);
            scratch.batch.flush(block, profile, FORM, self.segment);
            if let Some(name) = new {
                scratch.columns.add(&name, profile, &self.late, path)?;
                scratch.batch.cells.clear(profile.columns.len());
            }
        }
        super::text::note_wide(profile, block, path);
        Ok(())
    }
}

impl Capture {
    /// Reads lines from `at` on until a batch is full. Returns the name of a column if it must be added before the line
    /// at `at` can be read.
    fn batch(
        &self,
        block: &Block,
        at: &mut usize,
        scratch: &mut Scratch,
        notes: &mut Notes,
        path: &Path,
    ) -> Option<Vec<u8>> {
        let text = block.text.get(..block.len).unwrap_or_default();
        let Scratch { batch, columns, record } = scratch;
        let rows = (BATCH_VALUES / columns.len().max(1)).clamp(32, 4096);
        let side_start = Batch::side_start(block);
        while *at < text.len() && batch.cells.len() < rows {
            let rest = text.get(*at..).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |it| it + 1);
            let line = rest.get(..length).unwrap_or_default();
            if line.trim_ascii().is_empty() {
                *at += length;
                continue;
            }
            let place = |what: &str| {
                let before = text.get(..*at).unwrap_or_default();
                let number = block.first_line + memchr::memchr_iter(b'\n', before).count() as u64;
                format!("{}:{number}:{what}", path.display())
            };
            let side_before = batch.side.len();
            if let Err(what) = record.read(line, text, &self.index_names, &mut batch.side, side_start) {
                batch.side.truncate(side_before);
                notes.add(Oddity::Unreadable, || place(&what));
                *at += length;
                continue;
            }
            if let Some((_, name, _)) = record.named().find(|(_, name, _)| columns.find(name).is_none()) {
                batch.side.truncate(side_before);
                return Some(name.clone());
            }
            for _ in 0..record.input.lists + record.output.lists {
                notes.add(Oddity::List, || place("1: a list"));
            }
            self.add_rows(record, batch, columns, notes, &place);
            *at += length;
        }
        None
    }

    fn add_rows(
        &self,
        record: &Record,
        batch: &mut Batch,
        columns: &Columns,
        notes: &mut Notes,
        place: &dyn Fn(&str) -> String,
    ) {
        let layout = &self.layout;
        let parts = [
            (&record.output, layout.first_output, layout.outputs, "output"),
            (&record.input, layout.first_input, layout.inputs, "input"),
        ];
        let mut named: Vec<_> = Vec::new();
        named.extend(record.named());
        for row in 0..record.rows() {
            let cells = batch.cells.add_row();
            for (values, first, expected, what) in parts {
                let found = values.row(row);
                let own = cells.get_mut(first..first + expected).unwrap_or_default();
                own.iter_mut().zip(found).for_each(|(cell, place)| *cell = *place);
                let by_name = || values.named.iter().any(|(it, ..)| *it == row);
                if found.len() != expected && !by_name() {
                    let oddity = if found.len() < expected {
                        Oddity::TooFewFields
                    } else {
                        Oddity::TooManyFields
                    };
                    notes.add(oddity, || {
                        let count = found.len();
                        place(&format!(
                            "1: the {what} has {count} values where {expected} are expected"
                        ))
                    });
                }
            }
            for (_, name, place) in named.iter().filter(|(it, ..)| *it == row) {
                if let Some(cell) = columns.find(name).and_then(|at| cells.get_mut(at)) {
                    *cell = *place;
                }
            }
        }
    }
}
