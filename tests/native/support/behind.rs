//! What is in the database behind the application's back.

use rollcall::store::Value;

use super::d1_twin::D1Twin;

impl D1Twin {
    /// Everything in every table: two dumps are equal where nothing was written in between.
    pub fn dump(&self) -> Vec<(String, Vec<Vec<Value>>)> {
        let all = self.dump_all().into_iter();
        all.filter(|(table, _)| !table.starts_with("request"))
            .collect()
    }

    /// The same with the journal, which also tells of what was refused.
    pub fn dump_all(&self) -> Vec<(String, Vec<Vec<Value>>)> {
        self.tables()
            .into_iter()
            .map(|table| {
                let rows = self.query(&format!("select * from {table} order by 1, 2"));
                (table, rows)
            })
            .collect()
    }

    /// The same as one text, for looking for what must be nowhere.
    pub fn dump_text(&self) -> String {
        format!("{:?}", self.dump_all())
    }

    fn tables(&self) -> Vec<String> {
        self.query("select name from sqlite_master where type = 'table' order by name")
            .into_iter()
            .map(|row| match row.as_slice() {
                [Value::Text(name)] => name.clone(),
                other => panic!("a name: {other:?}"),
            })
            .collect()
    }

    /// The first column of all rows, as texts.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        self.query(sql)
            .into_iter()
            .map(|row| match row.into_iter().next() {
                Some(Value::Text(text)) => text,
                other => panic!("{sql}: {other:?}"),
            })
            .collect()
    }

    /// Runs statements before the batch with that number from now (0 is the next), as another client would.
    pub fn interfere_before(&self, batch: usize, statements: &[&str]) {
        let statements = statements.iter().map(|&sql| sql.to_owned()).collect();
        *self.interference.borrow_mut() = Some((batch, statements));
    }

    /// Runs statements before the next batch that changes a resource, as another client would.
    pub fn interfere_before_write(&self, statements: &[&str]) {
        let statements = statements.iter().map(|&sql| sql.to_owned()).collect();
        *self.write_interference.borrow_mut() = Some(statements);
    }

    /// Whether all that was to be done has been done.
    pub fn has_interfered(&self) -> bool {
        self.interference.borrow().is_none() && self.write_interference.borrow().is_none()
    }
}
