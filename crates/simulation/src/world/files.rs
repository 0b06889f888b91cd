//! Files of listings in other formats than plain CSV.

use super::Listings;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use std::io::Write;
use std::sync::Arc;

impl Listings {
    /// Compressed with gzip.
    pub fn gzipped(&self) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(self.labelled().as_bytes()).unwrap();
        writer.finish().unwrap()
    }

    /// As Parquet.
    pub fn parquet(&self) -> Vec<u8> {
        let (mut years, mut odometers, mut models, mut prices) = (vec![], vec![], vec![], vec![]);
        for (row, price) in self.cars() {
            let fields: Vec<&str> = row.split(',').collect();
            years.push(fields[0].parse::<i64>().unwrap());
            odometers.push(fields[1].parse::<f64>().unwrap());
            models.push(fields[2].to_owned());
            prices.push(price);
        }
        let columns: [(&str, ArrayRef); 4] = [
            ("year", Arc::new(Int64Array::from(years))),
            ("odometer", Arc::new(Float64Array::from(odometers))),
            ("model", Arc::new(StringArray::from(models))),
            ("price", Arc::new(Float64Array::from(prices))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut file = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        file
    }

    /// CSV as much of Europe writes it: `2015;60000,0;bmw;18250`.
    pub fn with_commas(&self) -> String {
        let cars = self.cars();
        let rows = cars.iter().map(|(row, price)| {
            let fields: Vec<&str> = row.split(',').collect();
            format!("{};{},0;{};{price}\n", fields[0], fields[1], fields[2])
        });
        format!("year;odometer;model;price\n{}", rows.collect::<String>())
    }
}
