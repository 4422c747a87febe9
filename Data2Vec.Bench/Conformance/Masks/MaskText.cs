using System.Text.Json;

namespace Data2Vec.Bench.Conformance;

/// <summary>Masks as the recordings write them: a string of 0 and 1 for each row.</summary>
internal static class MaskText
{
    /// <summary>A mask of rows.</summary>
    public static string Write(ReadOnlySpan<bool> mask, int columns)
    {
        var lines = new List<string>();
        for (var start = 0; start < mask.Length; start += columns)
        {
            var row = new char[columns];
            for (var i = 0; i < columns; i++) row[i] = mask[start + i] ? '1' : '0';
            lines.Add(new string(row));
        }
        return string.Join(' ', lines);
    }

    /// <summary>A recorded mask of rows, written as <see cref="Write"/> does.</summary>
    public static string Read(JsonElement rows) => string.Join(' ', rows.EnumerateArray().Select(r => r.GetString()));

    /// <summary>Where a row has a 1.</summary>
    public static int[] Positions(string row) => [.. Enumerable.Range(0, row.Length).Where(i => row[i] == '1')];
}
