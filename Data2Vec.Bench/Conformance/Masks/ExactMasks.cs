using System.Text.Json;
using Data2Vec.Kernels;
using Data2Vec.Models;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// The cases that list every draw: the same draws must give the same mask, and all of them must be used.
/// </summary>
internal static class ExactMasks
{
    public static void Run(JsonElement groups, SuiteReport report)
    {
        foreach (var group in groups.EnumerateObject())
        {
            Func<JsonElement, IEnumerable<Difference>> check = group.Name switch
            {
                "span_counts" => SpanCount,
                "spans" => Spans,
                "hf_spans" => FineTune,
                "beit_blocks" => Blocks,
                "tokens" => Tokens,
                "blocks" => GrownBlocks,
                _ => _ => throw new NotExpressibleException($"exact masks of the kind {group.Name} are not expressed"),
            };
            var number = 0;
            foreach (var item in group.Value.EnumerateArray())
            {
                var name = item.TryGetProperty("name", out var named) ? named.GetString()! : $"{number}";
                report.Run(group.Name, name, () => check(item));
                number++;
            }
        }
    }

    private static IEnumerable<Difference> SpanCount(JsonElement item)
    {
        var config = new SpanMaskConfig(MaskKeywords.Double(item, "mask_prob"), MaskKeywords.Int(item, "mask_length"),
            MaskKeywords.Int(item, "min_masks"));
        // Which starts are drawn does not matter, so a row that they mask whole does not either.
        var asked = new WatchedDraws(Any(), item.GetProperty("U").GetDouble());
        try
        {
            AudioMasker.Mask(1, MaskKeywords.Int(item, "T"), config, asked);
        }
        catch (InvalidOperationException)
        {
            // The sample was asked for before.
        }
        yield return Equal("spans", $"{asked.Count}", $"{item.GetProperty("spans")}");
        yield return Equal("start_range", $"{asked.Range}", $"{item.GetProperty("start_range")}");
    }

    private static IEnumerable<Difference> Spans(JsonElement item)
    {
        var draws = ReplayedDraws.OfList(item.GetProperty("draws_in_order"));
        var config = MaskKeywords.Spans(item.GetProperty("kwargs"));
        var mask = "";
        var frames = MaskKeywords.Int(item, "T");
        if (item.TryGetProperty("error", out var error))
        {
            var refused = false;
            try
            {
                mask = MaskText.Write(AudioMasker.Mask(Lengths(item), frames, config, draws), frames);
            }
            catch (InvalidOperationException)
            {
                refused = true;
            }
            yield return Equal("error", refused ? $"{error}" : mask, $"{error}");
        }
        else
        {
            mask = MaskText.Write(AudioMasker.Mask(Lengths(item), frames, config, draws), frames);
            yield return Equal("mask", mask, MaskText.Read(item.GetProperty("mask")));
        }
        yield return Equal("draws left", $"{draws.Left}", "0");
    }

    private static IEnumerable<Difference> FineTune(JsonElement item)
    {
        var draws = ReplayedDraws.OfList(item.GetProperty("draws_in_order"));
        var frames = MaskKeywords.Int(item, "T");
        var mask = FineTuneMasker.Mask(Lengths(item), frames, MaskKeywords.Double(item, "mask_prob"),
            MaskKeywords.Int(item, "mask_length"), MaskKeywords.Int(item, "min_masks"), draws);
        yield return Equal("mask", MaskText.Write(mask, frames), MaskText.Read(item.GetProperty("mask")));
        yield return Equal("draws left", $"{draws.Left}", "0");
    }

    private static IEnumerable<Difference> Blocks(JsonElement item)
    {
        var draws = ReplayedDraws.OfRounds(item.GetProperty("rounds"));
        var config = MaskKeywords.Blocks(item.GetProperty("window"), item.GetProperty("kwargs"));
        var mask = BlockMasker.Mask(config, draws);
        yield return Equal("mask", MaskText.Write(mask, config.Width), MaskText.Read(item.GetProperty("mask")));
        yield return Equal("draws left", $"{draws.Left}", "0");
    }

    private static IEnumerable<Difference> Tokens(JsonElement item)
    {
        int[] Ints(string name) => [.. item.GetProperty(name).EnumerateArray().Select(v => v.GetInt32())];
        var draws = ReplayedDraws.OfList(item.GetProperty("draws_in_order"));
        var (ids, pad) = (Ints("item"), MaskKeywords.Int(item, "pad_id"));
        int[] words = item.TryGetProperty("words", out _) ? Ints("words") : [];
        var (source, selected) = TextMasker.Mask(ids, MaskKeywords.Int(item, "mask_id"),
            MaskKeywords.Int(item, "vocab"), MaskKeywords.Tokens(item.GetProperty("kwargs")), draws, words);
        yield return Equal("source", string.Join(' ', source), string.Join(' ', Ints("source")));
        yield return Equal("target", string.Join(' ', ids.Select((id, i) => selected[i] ? id : pad)),
            string.Join(' ', Ints("target")));
        yield return Equal("draws left", $"{draws.Left}", "0");
    }

    private static IEnumerable<Difference> GrownBlocks(JsonElement item)
    {
        var (size, rows) = (MaskKeywords.Int(item, "T"), MaskKeywords.Int(item, "batch"));
        var config = MaskKeywords.GrownBlocks(item.GetProperty("kind").GetString()!, size, item.GetProperty("kwargs"));
        if (item.TryGetProperty("mask", out var expected))
        {
            var draws = ReplayedDraws.OfList(item.GetProperty("draws_in_order"));
            var mask = GrownBlockMasker.Mask(rows, config, draws);
            yield return Equal("mask", MaskText.Write(mask, size), MaskText.Read(expected));
            yield return Equal("draws left", $"{draws.Left}", "0");
            yield break;
        }
        var counted = new WatchedDraws(Any());
        var drawn = GrownBlockMasker.Mask(rows, config, counted);
        var centres = item.GetProperty("draws_in_order")[0].GetProperty("size").EnumerateArray()
            .Aggregate(1, (product, side) => product * side.GetInt32());
        yield return Equal("centres", $"{counted.Integers}", $"{centres}");
        yield return Equal("counts",
            string.Join(' ', Enumerable.Range(0, rows).Select(r => drawn.AsSpan(r * size, size).Count(true))),
            string.Join(' ', item.GetProperty("counts").EnumerateArray()));
    }

    private static int[] Lengths(JsonElement item) => item.TryGetProperty("lengths", out var lengths)
        ? [.. lengths.EnumerateArray().Select(n => n.GetInt32())]
        : [.. Enumerable.Repeat(MaskKeywords.Int(item, "T"), MaskKeywords.Int(item, "batch"))];

    /// <summary>Draws of cases that do not depend on them.</summary>
    private static PhiloxStream Any() => new(new RandomKey(1, 0, 0, 0));

    private static Difference Equal(string name, string got, string expected) => got == expected
        ? new Difference(name, 0, 0)
        : new Difference(name, double.PositiveInfinity, 0, $"{got}, expected {expected}");
}
