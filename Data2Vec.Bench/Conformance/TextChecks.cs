using System.Text.Json;
using Data2Vec.Models.Text;

namespace Data2Vec.Bench.Conformance;

/// <summary>The single checks of the text suite; each gives "" or what differs.</summary>
internal static class TextChecks
{
    public static string Encoding(ByteLevelBpe tokenizer, JsonElement item)
    {
        var text = item.GetProperty("text").GetString()!;
        string Check(string ids, string? offsets, TokenizeOptions options)
        {
            if (ids.Length > 0 && !item.TryGetProperty(ids, out _)) return "";
            var result = tokenizer.Encode(text, null, new SequenceOptions { Tokenize = options });
            var differs = ids.Length == 0 ? "" : Compare(ids, result.Ids, Ints(item.GetProperty(ids)));
            return differs.Length > 0 || offsets is null
                ? differs
                : Compare(offsets, result.Offsets, Ranges(item.GetProperty(offsets)));
        }
        var plain = Ints(item.GetProperty("ids"));
        return First(
            () => Check("ids", "offsets", new()),
            () => Check("", "offsets_untrimmed", new() { TrimOffsets = false }),
            () => Check("ids_prefix", "offsets_prefix", new() { AddPrefixSpace = true }),
            () => Check("ids_mask_no_lstrip", "offsets_mask_no_lstrip", new() { MaskSwallowsSpace = false }),
            () => Check("ids_split_special", null, new() { SplitSpecialTokens = true }),
            () => Compare("ids without offsets", [tokenizer.BosId, .. tokenizer.TokenizeToIds(text), tokenizer.EosId],
                plain),
            () => Decoded(tokenizer, item, plain));
    }

    public static string Decoding(ByteLevelBpe tokenizer, JsonElement item)
    {
        var ids = Ints(item.GetProperty("ids"));
        var tokens = item.GetProperty("tokens").EnumerateArray().Select(t => t.GetString()!);
        return First(
            () => Compare("tokens", ids.Select(i => tokenizer.Vocabulary.Tokens[i]), tokens),
            () => Decoded(tokenizer, item, ids));
    }

    public static string Pairs(ByteLevelBpe tokenizer, JsonElement item)
    {
        var options = Options(item);
        var a = item.GetProperty("a");
        var hasSecond = item.TryGetProperty("b", out var b) && b.ValueKind != JsonValueKind.Null;
        if (a.ValueKind == JsonValueKind.String)
            return Sequence(tokenizer.Encode(a.GetString()!, hasSecond ? b.GetString() : null, options), item, null);
        var texts = Enumerable.Range(0, a.GetArrayLength())
            .Select(i => (a[i].GetString()!, hasSecond ? b[i].GetString() : null));
        var batch = tokenizer.EncodeBatch(texts, options);
        return First([.. batch.Select((s, i) => (Func<string>)(() => Sequence(s, item, i)))]);
    }

    public static string Training(string suiteFolder, JsonElement item)
    {
        var text = item.GetProperty("text").GetString()!;
        var file = Path.Combine(suiteFolder, text);
        if (text.EndsWith(".txt", StringComparison.Ordinal) && File.Exists(file)) text = File.ReadAllText(file);
        var trained = BpeTrainer.Train(
            item.GetProperty("lines").GetBoolean() ? Lines(text) : [text],
            new BpeTrainingOptions
            {
                VocabularySize = item.GetProperty("vocab_size").GetInt32(),
                MinFrequency = item.GetProperty("min_frequency").GetInt64(),
                WholeAlphabet = item.GetProperty("initial_alphabet").GetBoolean(),
                SpecialTokens = [.. item.GetProperty("specials").EnumerateArray().Select(s => s.GetString()!)],
            });
        var merges = item.GetProperty("merges").EnumerateArray().Select(m => m.GetString()!);
        var tokens = item.GetProperty("tokens").EnumerateArray().Select(t => t.GetString()!);
        return First(
            () => Compare("merges", trained.Merges.Select(m => $"{m.Left} {m.Right}"), merges),
            () => Compare("tokens", trained.Tokens, tokens));
    }

    // Lines as Python's str.splitlines(keepends=True) sees them, which made the fixtures.
    private static IEnumerable<string> Lines(string text)
    {
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = text.AsSpan(start).IndexOfAny("\n\r\v\f\u001c\u001d\u001e\u0085\u2028\u2029");
            end = end < 0 ? text.Length : start + end + 1;
            if (text[end - 1] == '\r' && end < text.Length && text[end] == '\n') end++;
            yield return text[start..end];
        }
    }

    private static SequenceOptions Options(JsonElement item)
    {
        var options = new SequenceOptions
        {
            TruncateLeft = item.TryGetProperty("truncation_side", out var cut) && cut.GetString() == "left",
            PadLeft = item.TryGetProperty("padding_side", out var fill) && fill.GetString() == "left",
        };
        foreach (var argument in item.GetProperty("kwargs").EnumerateObject())
        {
            var value = argument.Value;
            options = argument.Name switch
            {
                "add_special_tokens" => options with { AddSpecialTokens = value.GetBoolean() },
                "max_length" => options with { MaxLength = value.GetInt32() },
                "pad_to_multiple_of" => options with { PadToMultipleOf = value.GetInt32() },
                "truncation" => options with { Truncation = TruncationOf(value) },
                "padding" => options with { Padding = PaddingOf(value) },
                _ => throw new NotSupportedException($"the tokenizer argument \"{argument.Name}\" is unknown"),
            };
        }
        return options;
    }

    private static Truncation TruncationOf(JsonElement value) => Word(value) switch
    {
        "True" or "longest_first" => Truncation.LongestFirst,
        "only_first" => Truncation.OnlyFirst,
        "only_second" => Truncation.OnlySecond,
        "False" or "do_not_truncate" => Truncation.None,
        var other => throw new NotSupportedException($"truncation \"{other}\" is unknown"),
    };

    private static Padding PaddingOf(JsonElement value) => Word(value) switch
    {
        "True" or "longest" => Padding.Longest,
        "max_length" => Padding.MaxLength,
        "False" or "do_not_pad" => Padding.None,
        var other => throw new NotSupportedException($"padding \"{other}\" is unknown"),
    };

    private static string Word(JsonElement value) => value.ToString();

    private static string Sequence(TokenSequence got, JsonElement item, int? row)
    {
        JsonElement Field(string name) => row is { } i ? item.GetProperty(name)[i] : item.GetProperty(name);
        var where = row is { } r ? $"[{r}]" : "";
        var sequences = Field("sequence_ids").EnumerateArray()
            .Select(s => s.ValueKind == JsonValueKind.Null ? (int?)null : s.GetInt32());
        return First(
            () => Compare("input_ids" + where, got.Ids, Ints(Field("input_ids"))),
            () => Compare("attention_mask" + where, Ints(got.AttentionMask), Ints(Field("attention_mask"))),
            () => Compare("special_tokens_mask" + where, Ints(got.SpecialMask), Ints(Field("special_tokens_mask"))),
            () => Compare("token_type_ids" + where, got.Ids.Select(_ => 0), Ints(Field("token_type_ids"))),
            () => Compare("offsets" + where, got.Offsets, Ranges(Field("offsets"))),
            () => Compare("sequence_ids" + where, got.SequenceIds, sequences));
    }

    private static string Decoded(ByteLevelBpe tokenizer, JsonElement item, int[] ids)
    {
        string Check(string field, bool skip) => item.TryGetProperty(field, out var text)
            ? Compare(field, [tokenizer.Decode(ids, skip)], [text.GetString()!])
            : "";
        return First(
            () => Check("decoded", false), () => Check("decoded_skip", true), () => Check("decoded_cleanup", false));
    }

    private static string First(params Func<string>[] checks) =>
        checks.Select(c => c()).FirstOrDefault(m => m.Length > 0, "");

    private static string Compare<T>(string what, IEnumerable<T> got, IEnumerable<T> expected)
    {
        var (ours, theirs) = (got.ToArray(), expected.ToArray());
        if (ours.SequenceEqual(theirs)) return "";
        var at = 0;
        while (at < ours.Length && at < theirs.Length && Equals(ours[at], theirs[at])) at++;
        static string Show(T[] values, int i) => i < values.Length ? values[i]?.ToString() ?? "null" : "nothing";
        return $"{what}[{at}]: got {Show(ours, at)}, expected {Show(theirs, at)}"
            + $" ({ours.Length} and {theirs.Length} entries)";
    }

    private static IEnumerable<int> Ints(byte[] values) => values.Select(v => (int)v);

    private static int[] Ints(JsonElement list) => [.. list.EnumerateArray().Select(v => v.GetInt32())];

    private static IEnumerable<(int Start, int End)> Ranges(JsonElement list) =>
        list.EnumerateArray().Select(r => (r[0].GetInt32(), r[1].GetInt32()));
}
