"""The evidence tables: schema, validation, vocabulary, protocol, integrity, risk of bias."""
