namespace Data2Vec.Kernels;

/// <summary>
/// Names one independent sequence of random words. Two draws share bits only when all four fields and the position
/// agree, so a draw is repeated by naming it again, on any device and in any order.
/// </summary>
/// <param name="Seed">Seed of the run.</param>
/// <param name="Step">Optimiser step, or any counter that the site declares (an epoch, say).</param>
/// <param name="MicroBatch">Which part of the step when gradients are accumulated.</param>
/// <param name="Site">The place in the program that draws; every site has its own number.</param>
public readonly record struct RandomKey(ulong Seed, uint Step, ushort MicroBatch, uint Site);

/// <summary>Four random words: the output of one Philox block.</summary>
/// <param name="W0">Word 0, the lowest.</param>
/// <param name="W1">Word 1.</param>
/// <param name="W2">Word 2.</param>
/// <param name="W3">Word 3, the highest.</param>
public readonly record struct PhiloxBlock(uint W0, uint W1, uint W2, uint W3)
{
    /// <summary>Word <paramref name="index"/> modulo 4.</summary>
    public uint this[int index] => (index & 3) switch { 0 => W0, 1 => W1, 2 => W2, _ => W3 };
}
