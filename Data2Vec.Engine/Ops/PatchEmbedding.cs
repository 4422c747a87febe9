using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// Every patch of P x P pixels times one weight: a two-dimensional convolution whose stride is its kernel. A
    /// composite of one permutation and <see cref="Linear"/>, which have the derivatives. Source: Dosovitskiy et al.
    /// 2021.
    /// </summary>
    /// <param name="x">Images [B, H, W, C], H and W multiples of P.</param>
    /// <param name="weight">[D, P, P, C]: rows, columns, channels of a patch.</param>
    /// <param name="bias">[D], or null.</param>
    /// <returns>[B, (H / P) * (W / P), D]: patches from left to right, then from top to bottom.</returns>
    /// <exception cref="ArgumentException">Shapes, types or devices do not fit, or the patches do not tile the
    /// image.</exception>
    public static Tensor PatchEmbedding(Tensor x, Tensor weight, Tensor? bias = null)
    {
        Refuse.NotFloat("PatchEmbedding", x);
        Refuse.OtherDevices("PatchEmbedding", x, weight, bias);
        Refuse.OtherTypes("PatchEmbedding", x, weight, bias);
        Refuse.Unless(x.Shape.Rank == 4 && weight.Shape.Rank == 4 && weight.Shape[1] == weight.Shape[2],
            $"PatchEmbedding: x must be [batch, height, width, channels] and weight [out, P, P, channels]; "
            + $"got x {x.Shape}, weight {weight.Shape}.");
        Refuse.Unless(x.Shape[3] == weight.Shape[3],
            $"PatchEmbedding: x and weight must have the same channels; got x {x.Shape}, weight {weight.Shape}.");
        var (outs, patch, channels) = (weight.Shape[0], weight.Shape[1], weight.Shape[3]);
        Refuse.Unless(bias is null || bias.Shape == new Shape(outs),
            $"PatchEmbedding: bias must have shape ({outs}) to match weight {weight.Shape}; got {bias?.Shape}.");
        var (height, width) = (x.Shape[1], x.Shape[2]);
        Refuse.Unless(patch >= 1 && height >= patch && width >= patch && height % patch == 0 && width % patch == 0,
            $"PatchEmbedding: height and width must be multiples of the patch {patch}; got x {x.Shape}.");
        var (batch, high, wide) = (x.Shape[0], height / patch, width / patch);
        // A row of a patch is contiguous, P * C numbers: only whole rows move.
        var rows = Permute(Reshape(x, new Shape(batch * high, patch, wide, patch * channels)), 0, 2, 1, 3);
        var inner = patch * patch * channels;
        rows = Reshape(rows, new Shape(batch, high * wide, inner));
        return Linear(rows, Reshape(weight, new Shape(outs, inner)), bias);
    }
}
