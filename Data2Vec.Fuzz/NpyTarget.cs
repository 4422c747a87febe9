using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Fuzz;

/// <summary>Arrays of features in NumPy's format.</summary>
internal static class NpyTarget
{
    /// <summary>The target.</summary>
    public static FuzzTarget Create() => new("npy",
    [
        // A refusal is an InvalidDataException.
        new("singles", typeof(InvalidDataException), bytes =>
        {
            ScratchFile.Shared.Holding(bytes);
            Npy.LoadSingles(ScratchFile.Shared.Path);
        }) { PerByte = 32 },
        new("integers", typeof(InvalidDataException), _ => Npy.LoadIntegers(ScratchFile.Shared.Path)) { PerByte = 32 },
    ])
    {
        OwnSeeds = [Array(2, 3), Array(4), Array(), Array(0, 5), Array(1, 2, 1, 2)],
        Words = ["\u0093NUMPY\u0001\0", "{'descr': '<f4', 'fortran_order': False, 'shape': (", "'<i8'", "'<f4'",
            "'|O'", "True", "2147483647", "4294967296", ",), }", " \n"],
    };

    private static byte[] Array(params int[] extents)
    {
        var shape = new Shape(extents);
        using var memory = new MemoryStream();
        Npy.Write(memory, shape, new float[shape.Count]);
        return memory.ToArray();
    }
}
