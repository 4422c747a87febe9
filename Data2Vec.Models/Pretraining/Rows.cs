namespace Data2Vec.Models;

/// <summary>Row lists from masks.</summary>
internal static class Rows
{
    /// <summary>Where a mask has this value, ascending.</summary>
    public static int[] Where(ReadOnlySpan<bool> mask, bool value = true)
    {
        var rows = new int[mask.Count(value)];
        var count = 0;
        for (var i = 0; i < mask.Length; i++)
            if (mask[i] == value) rows[count++] = i;
        return rows;
    }
}
