namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Binary(in BinaryArgs a)
    {
        var x = Read(a.X, a.Shape, a.XStrides);
        var y = Read(a.Y, a.Shape, a.YStrides);
        for (long i = 0; i < x.Length; i++) Set(a.Z, i, ElementFunctions.Apply(a.Op, x[i], y[i]));
    }

    /// <inheritdoc/>
    public void BinaryBackward(in BinaryBackwardArgs a)
    {
        var x = Read(a.X, a.Shape, a.XStrides);
        var y = Read(a.Y, a.Shape, a.YStrides);
        var dz = Read(a.DZ, x.Length);
        for (long i = 0; i < x.Length; i++)
        {
            var (dx, dy) = ElementFunctions.Slopes(a.Op, x[i], y[i]);
            if (!a.DX.IsNone) Set(a.DX, i, dz[i] * dx);
            if (!a.DY.IsNone) Set(a.DY, i, dz[i] * dy);
        }
    }
}
