namespace Data2Vec.Models.Data;

/// <summary>What generated pictures show.</summary>
public enum PictureKind
{
    /// <summary>A coloured object with a weak texture on a ground of another hue and texture; the default.</summary>
    Textured,
    /// <summary>A light object on a dark ground or the reverse, almost grey, with hardly any texture.</summary>
    Silhouettes,
}

/// <summary>Outline of the object.</summary>
public enum PictureShape
{
    /// <summary>A disc.</summary>
    Circle,
    /// <summary>Four equal sides.</summary>
    Square,
    /// <summary>Three equal sides.</summary>
    Triangle,
    /// <summary>Five rounded points.</summary>
    Star,
    /// <summary>Two bars.</summary>
    Cross,
    /// <summary>A disc with a hole.</summary>
    Ring,
}

/// <summary>Pattern of the object or of the ground.</summary>
public enum PictureTexture
{
    /// <summary>None.</summary>
    Plain,
    /// <summary>Waves that change from left to right.</summary>
    Stripes0,
    /// <summary>Waves along one diagonal.</summary>
    Stripes45,
    /// <summary>Waves that change from top to bottom.</summary>
    Stripes90,
    /// <summary>Waves along the other diagonal.</summary>
    Stripes135,
    /// <summary>A chessboard, turned.</summary>
    Checks,
    /// <summary>Dots in rows, turned.</summary>
    Dots,
    /// <summary>Small squares of random brightness.</summary>
    Noise,
}

/// <summary>Where a patch lies.</summary>
public enum PatchPlace
{
    /// <summary>On the ground: less than 5 % of it is covered by the object.</summary>
    Outside,
    /// <summary>On the outline.</summary>
    Edge,
    /// <summary>On the object: more than 95 % is covered.</summary>
    Inside,
}

/// <summary>A generated picture and the truth about it.</summary>
/// <param name="Image">The picture.</param>
/// <param name="Coverage">[height, width]: 0 where the ground is seen, 255 where the object is.</param>
/// <param name="Shape">Outline of the object.</param>
/// <param name="Texture">Pattern of the object.</param>
/// <param name="GroundTexture">Pattern of the ground, another one.</param>
/// <param name="Hue">Hue of the object in sixths of the circle: 0 from red to yellow, ... 5 from magenta on.</param>
/// <param name="GroundHue">Hue of the ground, likewise.</param>
public sealed record ShapePicture(
    RgbImage Image, byte[] Coverage, PictureShape Shape, PictureTexture Texture, PictureTexture GroundTexture, int Hue,
    int GroundHue)
{
    /// <summary>Number of hues.</summary>
    public const int Hues = 6;

    private const double Little = 0.05;

    /// <summary>Where a patch lies.</summary>
    /// <param name="patch">Number of the patch, row by row.</param>
    /// <param name="side">Pixels of a patch's side; the sides of the picture are multiples of it.</param>
    /// <exception cref="ArgumentException">The patch is not of this picture.</exception>
    public PatchPlace PlaceOf(int patch, int side)
    {
        var columns = Image.Width / side;
        if (Image.Width % side != 0 || Image.Height % side != 0 || (uint)patch >= columns * (Image.Height / side))
            throw new ArgumentException(
                $"A picture of {Image.Width} x {Image.Height} pixels has no patch {patch} of {side} x {side}.");
        var sum = 0;
        for (var y = 0; y < side; y++)
        {
            var start = (patch / columns * side + y) * Image.Width + patch % columns * side;
            foreach (var covered in Coverage.AsSpan(start, side)) sum += covered;
        }
        var share = sum / (255.0 * side * side);
        return share < Little ? PatchPlace.Outside : share > 1 - Little ? PatchPlace.Inside : PatchPlace.Edge;
    }

    /// <summary>Hue of what is seen at a patch that is not on the edge.</summary>
    public int HueOf(PatchPlace place) => place == PatchPlace.Outside ? GroundHue : Hue;
}
