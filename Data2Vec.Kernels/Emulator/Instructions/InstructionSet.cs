namespace Data2Vec.Kernels.Emulator;

/// <summary>Every opcode that the emulator knows, by the word before its first dot, and who decodes it.</summary>
internal static class InstructionSet
{
    public static readonly Dictionary<string, Action<Decoder>> Families = new(StringComparer.Ordinal);

    static InstructionSet()
    {
        Add(Arithmetic.Families);
        Add(BitFields.Families);
        Add(Logic.Families);
        Add(SpecialFunctions.Families);
        Add(Comparisons.Families);
        Add(Conversions.Families);
        Add(Moves.Families);
        Add(LoadsAndStores.Families);
        Add(Atomics.Families);
        Add(Exchanges.Families);
        Add(Barriers.Families);
        Add(Branches.Families);
        Add(Matrices.Families);
        Add(MatrixLoads.Families);
        Add(AsyncCopies.Families);
    }

    private static void Add((string Name, Action<Decoder> Decode)[] families)
    {
        foreach (var (name, decode) in families) Families.Add(name, decode);
    }
}
