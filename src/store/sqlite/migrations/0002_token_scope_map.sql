-- The tokens that are tied to a scope map, by name.
CREATE INDEX token_scope_map ON token (registry, json_extract(body, '$.scope_map'), name);
