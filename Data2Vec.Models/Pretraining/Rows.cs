namespace Data2Vec.Models;

/// <summary>Row lists from masks.</summary>
internal static class Rows
{
    /// <summary>Indices of the true entries, ascending.</summary>
    public static int[] Where(ReadOnlySpan<bool> mask)
    {
        var rows = new List<int>();
        for (var i = 0; i < mask.Length; i++)
            if (mask[i]) rows.Add(i);
        return [.. rows];
    }
}
