namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// <see cref="Philox"/> as a kernel can run it: the same words for the same key and position, line for line.
/// </summary>
internal static class DevicePhilox
{
    /// <summary>Word number <paramref name="position"/> mod 4 of block position div 4.</summary>
    public static uint Word(in StepValues step, uint site, long position)
    {
        Block(step, site, position >> 2, out var w0, out var w1, out var w2, out var w3);
        var word = (int)(position & 3);
        return word == 0 ? w0 : word == 1 ? w1 : word == 2 ? w2 : w3;
    }

    /// <summary>Byte number <paramref name="position"/> mod 16 (little endian) of block position div 16.</summary>
    public static uint Byte(in StepValues step, uint site, long position)
    {
        Block(step, site, position >> 4, out var w0, out var w1, out var w2, out var w3);
        var word = (int)(position >> 2) & 3;
        var bits = word == 0 ? w0 : word == 1 ? w1 : word == 2 ? w2 : w3;
        return (bits >> (8 * (int)(position & 3))) & 0xFF;
    }

    /// <summary>The four words of a block.</summary>
    public static void Block(in StepValues step, uint site, long block, out uint w0, out uint w1, out uint w2, out uint w3)
    {
        var c0 = (uint)block;
        var c1 = ((uint)(block >> 32) & 0xFFFF) | (step.MicroBatch << 16);
        var c2 = site;
        var c3 = step.Step;
        var k0 = (uint)step.Seed;
        var k1 = (uint)(step.Seed >> 32);
        for (var round = 0; round < Philox.RoundCount; round++)
        {
            var product0 = (ulong)Philox.Multiplier0 * c0;
            var product1 = (ulong)Philox.Multiplier1 * c2;
            c0 = (uint)(product1 >> 32) ^ c1 ^ k0;
            c1 = (uint)product1;
            c2 = (uint)(product0 >> 32) ^ c3 ^ k1;
            c3 = (uint)product0;
            k0 += Philox.Weyl0;
            k1 += Philox.Weyl1;
        }
        w0 = c0;
        w1 = c1;
        w2 = c2;
        w3 = c3;
    }
}
