using System.Text.Json;
using Data2Vec.Kernels;
using Data2Vec.Models;

namespace Data2Vec.Bench.Conformance;

/// <summary>One case of the statistics: our generator under the case's settings, one batch at a time.</summary>
internal sealed class MaskSource
{
    /// <summary>Ids of the sentence that token cases mask: far from specials.</summary>
    private const int FirstId = 10;

    private readonly Func<IDraws, bool[]> draw;

    public MaskSource(JsonElement config)
    {
        Kind = config.GetProperty("kind").GetString()!;
        var keywords = config.GetProperty("kwargs");
        Lengths = config.TryGetProperty("lengths", out var lengths)
            ? [.. lengths.EnumerateArray().Select(n => n.GetInt32())]
            : null;
        Rows = Kind is "beit_blocks" or "tokens" ? 1 : MaskKeywords.Int(config, "batch");
        Height = 1;
        switch (Kind)
        {
            case "fairseq_spans":
                Width = MaskKeywords.Int(config, "T");
                Spans = MaskKeywords.Spans(keywords);
                draw = d => AudioMasker.Mask(ValidFrames, Width, Spans, d);
                break;
            case "hf_spans":
                Width = MaskKeywords.Int(config, "T");
                MaskKeywords.Refuse(keywords, "mask_prob", "mask_length", "min_masks");
                Spans = new(MaskKeywords.Double(keywords, "mask_prob"), MaskKeywords.Int(keywords, "mask_length"),
                    MaskKeywords.Int(keywords, "min_masks", 0), SpanEqualisation.None);
                draw = d => FineTuneMasker.Mask(
                    ValidFrames, Width, Spans.Probability, Spans.Length, Spans.MinimumSpans, d);
                break;
            case "beit_blocks":
                var blocks = MaskKeywords.Blocks(config.GetProperty("window"), keywords);
                (Height, Width, Target) = (blocks.Height, blocks.Width, blocks.Target);
                draw = d => BlockMasker.Mask(blocks, d);
                break;
            case "block_2d" or "block_1d":
                var grown = MaskKeywords.GrownBlocks(Kind, MaskKeywords.Int(config, "T"), keywords);
                (Height, Width) = (grown.Height, grown.Width);
                draw = d => GrownBlockMasker.Mask(Rows, grown, d);
                break;
            case "tokens":
                (Width, var vocabulary) = (MaskKeywords.Int(config, "sz"), MaskKeywords.Int(config, "vocab"));
                draw = d => Tokens(MaskKeywords.Tokens(keywords), vocabulary, d);
                break;
            default:
                throw new NotExpressibleException($"masks of the kind {Kind} are not expressed");
        }
        if (config.TryGetProperty("target", out var target) && target.ValueKind == JsonValueKind.Number)
            Target = target.GetInt32();
    }

    public string Kind { get; }

    public int Rows { get; }

    public int Height { get; }

    public int Width { get; }

    /// <summary>The count that a row should reach; null = none is fixed.</summary>
    public int? Target { get; }

    /// <summary>Settings of spans; null for other kinds.</summary>
    public SpanMaskConfig? Spans { get; }

    /// <summary>Valid frames of each row where rows are padded.</summary>
    public int[]? Lengths { get; }

    /// <summary>
    /// Token cases: shares of the selected tokens that became the mask token, stayed, became another.
    /// </summary>
    public (Moments Mask, Moments Stayed, Moments Other) Became { get; } = (new(1), new(1), new(1));

    /// <summary>Valid frames of each row.</summary>
    public int[] ValidFrames => Lengths ?? [.. Enumerable.Repeat(Width, Rows)];

    /// <summary>Masks of one batch, [rows, height, width].</summary>
    public bool[] Draw(IDraws draws) => draw(draws);

    private bool[] Tokens(TokenMaskRule rule, int vocabulary, IDraws draws)
    {
        int[] ids = [.. Enumerable.Range(FirstId, Width)];
        var maskId = vocabulary - 1;
        var (source, selected) = TextMasker.Mask(ids, maskId, vocabulary, rule, draws);
        var (mask, stayed, other) = (0, 0, 0);
        for (var i = 0; i < ids.Length; i++)
        {
            if (!selected[i])
            {
                if (source[i] != ids[i]) throw new InvalidDataException($"token {i} was changed but not selected");
            }
            else if (source[i] == maskId) mask++;
            else if (source[i] == ids[i]) stayed++;
            else other++;
        }
        var all = Math.Max(1.0, mask + stayed + other);
        Became.Mask.Add(mask / all);
        Became.Stayed.Add(stayed / all);
        Became.Other.Add(other / all);
        return selected;
    }
}
