namespace Data2Vec.Models.Data;

/// <summary>Decodes one channel of a frame. Source: RFC 9639, section 9.2.</summary>
/// <remarks>All arithmetic is in 64 bits: 33-bit samples times 15-bit coefficients, 32 of them, need 53.</remarks>
internal static class FlacSubframe
{
    /// <summary>Fills the samples; every one is checked to have the width it should have.</summary>
    /// <param name="bits">Stands on the subframe; afterwards behind it.</param>
    /// <param name="name">What messages call the file.</param>
    /// <param name="samples">One block.</param>
    /// <param name="width">Bits of a sample, 4 to 33.</param>
    public static void Decode(ref FlacBits bits, string name, Span<long> samples, int width)
    {
        var at = bits.Byte;
        if (bits.Read(1) != 0) throw AudioError.At(name, at, "the first bit of a subframe is not zero");
        var type = (int)bits.Read(6);
        var wasted = 0;
        if (bits.Read(1) != 0)
        {
            var zeros = bits.ReadUnary();
            if (zeros + 1 >= width)
                throw AudioError.At(name, at,
                    $"{zeros + 1} of {width} bits of a subframe are wasted; one must be left");
            wasted = (int)zeros + 1;
        }
        width -= wasted;
        switch (type)
        {
            case 0:
                samples.Fill(bits.ReadSigned(width));
                break;
            case 1:
                foreach (ref var sample in samples) sample = bits.ReadSigned(width);
                break;
            case >= 8 and <= 12:
                Fixed(ref bits, name, samples, width, type - 8);
                break;
            case >= 32:
                Linear(ref bits, name, samples, width, type - 31);
                break;
            default:
                throw AudioError.At(name, at, $"the subframe type {type} is reserved");
        }
        if (wasted == 0) return;
        foreach (ref var sample in samples) sample <<= wasted;
    }

    /// <summary>The polynomial predictors: differences of order 0 to 4 are coded.</summary>
    private static void Fixed(ref FlacBits bits, string name, Span<long> samples, int width, int order)
    {
        var at = bits.Byte;
        WarmUp(ref bits, name, samples, width, order);
        FlacResidual.Read(ref bits, name, samples, order);
        Predict(name, at, samples, width, 0, order switch
        {
            0 => [],
            1 => [1],
            2 => [-1, 2],
            3 => [1, -3, 3],
            _ => [-1, 4, -6, 4],
        });
    }

    private static void Linear(ref FlacBits bits, string name, Span<long> samples, int width, int order)
    {
        var at = bits.Byte;
        WarmUp(ref bits, name, samples, width, order);
        var precision = (int)bits.Read(4) + 1;
        if (precision == 16) throw AudioError.At(name, at, "the coefficient precision code 15 is forbidden");
        var shift = (int)bits.ReadSigned(5);
        if (shift < 0) throw AudioError.At(name, at, $"the predictor's shift is {shift}; expected 0 to 15");
        // The file begins with the coefficient of the latest sample.
        Span<long> coefficients = stackalloc long[order];
        for (var i = order - 1; i >= 0; i--) coefficients[i] = bits.ReadSigned(precision);
        FlacResidual.Read(ref bits, name, samples, order);
        Predict(name, at, samples, width, shift, coefficients);
    }

    private static void WarmUp(ref FlacBits bits, string name, Span<long> samples, int width, int order)
    {
        if (order > samples.Length)
            throw AudioError.At(name, bits.Byte,
                $"a predictor of order {order} stands in a block of {samples.Length} samples");
        for (var i = 0; i < order; i++) samples[i] = bits.ReadSigned(width);
    }

    /// <summary>
    /// sample = residual + (sum of coefficient * earlier sample, shifted right); coefficients oldest sample first.
    /// </summary>
    private static void Predict(
        string name, int at, Span<long> samples, int width, int shift, ReadOnlySpan<long> coefficients)
    {
        var half = 1L << (width - 1);
        for (var i = coefficients.Length; i < samples.Length; i++)
        {
            var earlier = samples.Slice(i - coefficients.Length, coefficients.Length);
            var sum = 0L;
            for (var j = 0; j < earlier.Length; j++) sum += coefficients[j] * earlier[j];
            var sample = samples[i] + (sum >> shift);
            if ((ulong)(sample + half) >= (ulong)half * 2)
                throw AudioError.At(name, at, $"sample {i} of a subframe does not fit into {width} bits");
            samples[i] = sample;
        }
    }
}

/// <summary>Decodes what a predictor left over. Source: RFC 9639, section 9.2.7.</summary>
internal static class FlacResidual
{
    /// <summary>Fills the samples behind the first <paramref name="order"/> ones.</summary>
    public static void Read(ref FlacBits bits, string name, Span<long> samples, int order)
    {
        var at = bits.Byte;
        var method = bits.Read(2);
        if (method > 1) throw AudioError.At(name, at, $"the residual coding method {method} is reserved");
        var parameterBits = method == 0 ? 4 : 5;
        var escape = (1 << parameterBits) - 1;
        var partitions = 1 << (int)bits.Read(4);
        var length = samples.Length / partitions;
        if (length * partitions != samples.Length || length < order)
            throw AudioError.At(name, at, $"a block of {samples.Length} samples cannot have {partitions} partitions "
                + $"behind a predictor of order {order}");
        for (var p = 0; p < partitions; p++)
        {
            var partition = samples[(p == 0 ? order : p * length)..((p + 1) * length)];
            var parameter = (int)bits.Read(parameterBits);
            if (parameter < escape)
            {
                foreach (ref var residual in partition) residual = bits.ReadRice(parameter);
                continue;
            }
            var width = (int)bits.Read(5);
            if (width == 0) partition.Clear();
            else
                foreach (ref var residual in partition) residual = bits.ReadSigned(width);
        }
    }
}
