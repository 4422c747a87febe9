namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// Rows that a group keeps in registers: every thread holds two times four elements, so that a row is read from memory
/// once, in wide transactions, and few warps have to add up what they found.
/// </summary>
internal static class HeldRow
{
    /// <summary>What the largest group can hold.</summary>
    public const int MostColumns = 8 * RowReduction.GroupSize;

    /// <summary>Threads of a group for rows of so many elements.</summary>
    public static int Threads(int columns) => (columns + 255) / 256 * 32;
}
