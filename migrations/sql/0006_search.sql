-- Search: messages by the words that are in them.

create function found_by(seq bigint, conversation uuid, sender uuid, said text) returns tsvector
    language plpgsql immutable parallel safe cost 10000
as $$
declare
    stretch text := to_hex(seq >> 16);
    words   text := lower(said);
begin
    -- A lexeme has at most 2046 bytes. Only in a long text a word may have more.
    if octet_length(words) > 1000 then
        words := regexp_replace(words, '([[:alnum:]]{100})[[:alnum:]]+', '\1', 'g');
    end if;
    words := regexp_replace(words, '[^[:alnum:]]+', ' ' || stretch || ':', 'g');
    return array_to_tsvector(array[stretch || '#' || conversation, stretch || '@' || sender]
                             || string_to_array(stretch || ':' || words, ' '));
end
$$;

comment on function found_by is 'What a message is found by: its words as words_of has them, each as stretch:word; stretch#conversation; stretch@sender. A stretch is 65,536 seqs, in hex. So a search of one stretch of the log reads what is in the index for that, however common a word is in the others; and messages as they come are all written to the same part of the index.';

-- What is pending is read by each search of a stretch: a little of it (KiB) is as fast to write as the usual 4 MiB.
create index messages_by_words on messages using gin (found_by(seq, conversation, sender, text))
    with (gin_pending_list_limit = 64) where text is not null;
