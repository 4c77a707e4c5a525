-- What projections/inside.py does, in the database: which changes of a value around a path altered what
-- is there. An opening adds the whole form; of other events the changes say it.

-- The value that the tokens of a path lead to; null if there is none. `names` are the members by which
-- the items of a list are told apart.
CREATE FUNCTION value_at(value jsonb, tokens text[], names text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE token text;
BEGIN
    FOREACH token IN ARRAY tokens LOOP
        IF jsonb_typeof(value) = 'object' THEN
            value := value -> token;
        ELSIF jsonb_typeof(value) = 'array' AND starts_with(token, 'id:') THEN
            value := (
                SELECT item FROM unnest(names) WITH ORDINALITY AS n(name, nth),
                                 jsonb_array_elements(value) WITH ORDINALITY AS i(item, place)
                WHERE CASE jsonb_typeof(item -> name) WHEN 'string' THEN item ->> name
                      WHEN 'number' THEN trim_scale((item ->> name)::numeric)::text END = substr(token, 4)
                  AND token <> 'id:'
                ORDER BY nth, place LIMIT 1);
        ELSIF jsonb_typeof(value) = 'array' AND token ~ '^(0|[1-9][0-9]{0,8})$' THEN
            value := value -> token::integer;
        ELSE
            RETURN NULL;
        END IF;
    END LOOP;
    RETURN value;
END $$;

-- How many changes of an event are of a value around a path, and altered what is there; `above` are the
-- paths of those values, the outermost first.
CREATE FUNCTION altered_inside(state bytea, above text[], tokens text[], names text[]) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE event jsonb := convert_from(state, 'UTF8')::jsonb;
BEGIN
    IF event ? 'data' THEN
        RETURN (cardinality(above) > 0
                AND value_at(event -> 'data', tokens, names) IS DISTINCT FROM value_at('{}', tokens, names))::integer;
    END IF;
    RETURN (
        SELECT count(*) FROM jsonb_array_elements(event -> 'changes') AS c(change)
        CROSS JOIN LATERAL (SELECT tokens[array_position(above, change ->> 'path'):] AS rest) r
        WHERE change ->> 'path' = ANY (above)
          AND value_at(change -> 'before', rest, names) IS DISTINCT FROM value_at(change -> 'after', rest, names));
END $$;
