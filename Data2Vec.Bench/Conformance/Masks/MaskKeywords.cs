using System.Text.Json;
using Data2Vec.Models;

namespace Data2Vec.Bench.Conformance;

/// <summary>The published generators' keywords as our settings. A keyword that we do not have is named.</summary>
internal static class MaskKeywords
{
    public static SpanMaskConfig Spans(JsonElement keywords)
    {
        Refuse(keywords, "mask_prob", "mask_length", "min_masks", "require_same_masks", "add_masks", "mask_dropout",
            "idc_select_ver");
        var same = Flag(keywords, "require_same_masks", true);
        return new(Double(keywords, "mask_prob"), Int(keywords, "mask_length"), Int(keywords, "min_masks", 0),
            !same ? SpanEqualisation.None
                : Flag(keywords, "add_masks", false) ? SpanEqualisation.ToLargest : SpanEqualisation.ToSmallest,
            keywords.TryGetProperty("mask_dropout", out var dropout) ? dropout.GetDouble() : 0,
            Int(keywords, "idc_select_ver", 1) == 2);
    }

    public static BlockMaskConfig Blocks(JsonElement window, JsonElement keywords)
    {
        Refuse(keywords, "num_masking_patches", "min_num_patches", "max_num_patches", "min_aspect", "max_aspect");
        return new(window[0].GetInt32(), window[1].GetInt32(), Int(keywords, "num_masking_patches"),
            Int(keywords, "min_num_patches", 4),
            keywords.TryGetProperty("max_num_patches", out var most) && most.ValueKind == JsonValueKind.Number
                ? most.GetInt32() : null,
            keywords.TryGetProperty("min_aspect", out var low) ? low.GetDouble() : 0.3,
            keywords.TryGetProperty("max_aspect", out var high) && high.ValueKind == JsonValueKind.Number
                ? high.GetDouble() : null);
    }

    public static TokenMaskRule Tokens(JsonElement keywords)
    {
        Refuse(keywords, "mask_prob", "mask_multiple_length", "leave_unmasked_prob", "random_token_prob");
        return new(Double(keywords, "mask_prob"), Int(keywords, "mask_multiple_length", 1),
            Double(keywords, "leave_unmasked_prob"), Double(keywords, "random_token_prob"));
    }

    /// <summary>A sequence, or a square grid whose side is the root of <paramref name="positions"/>.</summary>
    public static GrownBlockConfig GrownBlocks(string kind, int positions, JsonElement keywords)
    {
        Refuse(keywords, "mask_prob", "mask_prob_adjust", "mask_length", "inverse_mask");
        var side = (int)Math.Round(Math.Sqrt(positions));
        if (kind == "block_2d" && side * side != positions)
            throw new InvalidDataException($"{positions} positions are no square grid");
        var (height, width) = kind == "block_2d" ? (side, side) : (1, positions);
        return new(height, width, Double(keywords, "mask_prob"), Double(keywords, "mask_prob_adjust"),
            Int(keywords, "mask_length"), Flag(keywords, "inverse_mask", false));
    }

    /// <summary>Keywords beyond these are not expressed.</summary>
    public static void Refuse(JsonElement keywords, params ReadOnlySpan<string> known)
    {
        foreach (var keyword in keywords.EnumerateObject())
            if (!known.Contains(keyword.Name))
                throw new NotExpressibleException($"the keyword {keyword.Name} is not expressed");
    }

    public static int Int(JsonElement item, string name, int? otherwise = null) =>
        otherwise is null || item.TryGetProperty(name, out _) ? item.GetProperty(name).GetInt32() : otherwise.Value;

    public static double Double(JsonElement item, string name) => item.GetProperty(name).GetDouble();

    private static bool Flag(JsonElement item, string name, bool otherwise) =>
        item.TryGetProperty(name, out var value) ? value.GetBoolean() : otherwise;
}
