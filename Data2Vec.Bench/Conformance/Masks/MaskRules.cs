using Data2Vec.Engine.Serialization;

namespace Data2Vec.Bench.Conformance;

/// <summary>What holds for every single mask of a generator, ours or a recorded one.</summary>
internal static class MaskRules
{
    /// <summary>The first rule that a batch of masks breaks; null = none.</summary>
    public static string? Broken(MaskSource source, ReadOnlySpan<bool> mask)
    {
        var size = source.Height * source.Width;
        var first = mask[..size].Count(true);
        for (var r = 0; r < source.Rows; r++)
        {
            var row = mask.Slice(r * size, size);
            if (BrokenByRow(source, row, r) is { } broken) return $"row {r}: {broken}";
            var equal = source.Kind is "block_1d" or "block_2d"
                || (source.Kind == "fairseq_spans" && source.Spans!.Equalise != Models.SpanEqualisation.None);
            if (equal && row.Count(true) != first) return $"row {r} has not the count of row 0";
        }
        return null;
    }

    /// <summary>The recorded rows that break a rule: then the rule is wrong.</summary>
    public static IEnumerable<string> BrokenByExamples(MaskSource source, SafetensorsFile examples, string name)
    {
        if (!examples.Contains(name)) yield break;
        var size = source.Height * source.Width;
        bool[] rows = [.. examples.ReadDoubles(name).Select(v => v != 0)];
        for (var r = 0; r < rows.Length / size; r++)
        {
            if (BrokenByRow(source, rows.AsSpan(r * size, size), r % source.Rows) is { } broken)
                yield return $"row {r}: {broken}";
        }
    }

    private static string? BrokenByRow(MaskSource source, ReadOnlySpan<bool> row, int number)
    {
        var count = row.Count(true);
        switch (source.Kind)
        {
            case "beit_blocks": return count > source.Target ? $"{count} patches, target {source.Target}" : null;
            case "block_1d" or "block_2d":
                return source.Target is { } target && count != target ? $"{count} positions, target {target}" : null;
            case "tokens": return null;
        }
        var spans = source.Spans!;
        var valid = source.ValidFrames[number];
        var most = Math.Max(spans.MinimumSpans, (int)(spans.Probability * valid / spans.Length + 1));
        // Filling up may mask any frame of the padded row.
        if (source.Kind == "fairseq_spans" && spans.Equalise != Models.SpanEqualisation.ToLargest)
        {
            if (row[valid..].Contains(true)) return "padding is masked";
            if (count >= valid) return "every frame is masked";
            if (!spans.StartAnywhere && valid - spans.Length > most && row[valid - 1])
                return "the last frame is masked";
            if (count > (long)most * spans.Length) return $"{count} frames from at most {most} spans";
        }
        var whole = source.Kind == "hf_spans"
            ? valid >= spans.Length
            : spans is { Equalise: Models.SpanEqualisation.None, Dropout: 0, StartAnywhere: false };
        return whole && valid - spans.Length > most && ShortestRun(row) < spans.Length
            ? $"a run is shorter than {spans.Length}" : null;
    }

    private static int ShortestRun(ReadOnlySpan<bool> row)
    {
        var (shortest, run) = (int.MaxValue, 0);
        for (var i = 0; i <= row.Length; i++)
        {
            if (i < row.Length && row[i]) run++;
            else if (run > 0)
            {
                shortest = Math.Min(shortest, run);
                run = 0;
            }
        }
        return shortest;
    }
}
